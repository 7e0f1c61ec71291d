// The lists: what moves now, and what has moved.

import * as api from './api.js';
import {el, table} from './dom.js';
import * as words from './words.js';

const link = move => el('a', {href: `#/move/${encodeURIComponent(move.id)}/${move.side}`}, move.guest);

const direction = move => move.side === 'source' ? `to ${move.to ?? '?'}` : `into ${move.slot || 'this host'}`;

function progress(move) {
  const whole = move.dirtyPages ?? 0;
  const left = move.leftPages ?? 0;
  return whole > 0 ? `${Math.floor(100 * (whole - left) / whole)} % of round ${move.round}` : '–';
}

/** What moves now, and what waits for its turn. */
export function movesView() {
  const now = table('Moves under way', ['Guest', 'Where', 'State', 'Round', 'Left', 'Sent',
    'Rate', 'Predicted pause', 'Why it has not ended']);
  const error = el('p', {class: 'error', role: 'alert'});
  return {
    title: 'Moves',
    element: el('section', {'aria-label': 'Moves'}, error, now.element),
    async update() {
      const all = await api.moves();
      error.textContent = '';
      now.update(all, move => move.id + move.side, move => [link(move), direction(move),
        move.phase === 'queued' ? 'queued' : move.state, progress(move), words.pages(move.leftPages),
        words.bytes(move.wireBytes), words.rate(move.wireBytesPerSecond),
        words.predicted(move), words.why(move)]);
      return all.length > 0;
    },
    failed: problem => { error.textContent = problem.message; },
  };
}

/** What has ended, the last first. */
export function historyView() {
  const past = table('Moves that ended', ['Guest', 'Where', 'Ended', 'Result', 'Total', 'Downtime', 'Slower by']);
  return {
    title: 'History',
    element: el('section', {'aria-label': 'History'}, past.element),
    async update() {
      const all = (await api.past())
        .sort((one, other) => (other.endedAt ?? 0) - (one.endedAt ?? 0));
      past.update(all, move => move.id + move.side, move => [link(move), direction(move), words.time(move.endedAt),
        move.result ?? '–', words.millis(move.totalMs), words.millis(move.downtimeMs),
        Number.isFinite(move.slowdownPercent) ? `${move.slowdownPercent} %` : '–']);
      return false;
    },
  };
}
