// One move: its figures, its rounds, its memory, its log; and what can be done about it.

import * as api from './api.js';
import {roundsChart} from './chart.js';
import {ask, el, figures, say} from './dom.js';
import {memoryMap} from './map.js';
import * as words from './words.js';

const LIMITS = [['bandwidth', 'Bandwidth', '1Gbit/s'], ['maxDowntime', 'Longest pause', '300ms'],
  ['throttle', 'Throttle', 'none, auto or a percentage'], ['maxStolen', 'Most of its time', '20%'],
  ['timeout', 'Longest pre-copy', '1h']];
const LINES = 200;

export function moveView(id, side) {
  const title = el('h2', {}, id);
  const why = el('p', {class: 'why', role: 'status'});
  const error = el('p', {class: 'error', role: 'alert'});
  const bar = el('progress', {max: 1, 'aria-label': 'pages of this round that are handled'});
  const facts = figures(['Side', 'Peer', 'State', 'Round', 'Dirty', 'Left of the round', 'Sent', 'Rate',
    'Written by the guest', 'Throttle', 'Predicted pause', 'Began', 'Result', 'Total', 'Downtime', 'Slower by']);
  const chartPlace = el('div');
  const roundsText = el('p', {}, 'No round has ended yet.');
  const memory = memoryMap();
  const memoryPanel = el('section', {class: 'panel', 'aria-label': 'Memory'}, el('h3', {}, 'Memory'), memory.element);
  const log = el('pre', {class: 'log', tabindex: 0, 'aria-label': 'log of this move'});
  const cancel = el('button', {type: 'button', class: 'danger', onclick: stop}, 'Cancel this move');
  const inputs = new Map(LIMITS.map(([name, , hint]) =>
    [name, el('input', {name, placeholder: hint, autocomplete: 'off'})]));
  const limits = el('form', {class: 'limits', onsubmit: change},
    ...LIMITS.map(([name, label]) => el('label', {}, label, inputs.get(name))),
    el('button', {type: 'submit'}, 'Change limits'));
  const limitsPanel = el('section', {class: 'panel', 'aria-label': 'Limits'}, el('h3', {}, 'Limits'),
    el('p', {}, 'They hold from the next decision on. What is left empty stays as it is.'), limits, cancel);
  let chart = null;
  let rounds = [];
  let lines = [];
  let known = false;

  async function attempt(action) {
    try {
      say(error, '');
      await action();
    } catch (problem) {
      say(error, problem.message);
    }
  }

  async function stop() {
    if (await ask('Cancel this move?', `${title.textContent} stays where it is, if it has not gone yet.`)) {
      await attempt(() => api.cancel(id, side));
    }
  }

  async function change(event) {
    event.preventDefault();
    const changed = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()])
      .filter(([, value]) => value !== ''));
    const text = Object.entries(changed).map(([name, value]) => `${name} ${value}`).join(', ');
    if (text && await ask('Change the limits?', text)) {
      await attempt(async () => {
        await api.limits(id, side, changed);
        inputs.forEach(input => { input.value = ''; });
      });
    }
  }

  function addLine(line) {
    lines = [...lines, line].slice(-LINES);
    log.textContent = lines.join('\n');
    log.scrollTop = log.scrollHeight;
  }

  function showRounds(all) {
    rounds = all;
    chart ??= roundsChart(chartPlace);
    chart.update(rounds);
    const last = rounds.at(-1);
    if (last) {
      say(roundsText, `${rounds.length} rounds ended. Round ${last.round}: ${words.pages(last.dirtyPages)} dirty, `
        + `${words.bytes(last.wireBytes)} sent in ${words.millis(last.durationMs)}.`);
    }
  }

  return {
    title: 'Move',
    element: el('article', {}, title, why, error, bar,
      el('section', {class: 'panel', 'aria-label': 'Figures'}, facts.list),
      el('section', {class: 'panel', 'aria-label': 'Rounds'}, el('h3', {}, 'Rounds'), chartPlace, roundsText),
      memoryPanel, limitsPanel,
      el('section', {class: 'panel', 'aria-label': 'Log'}, el('h3', {}, 'Log'), log)),
    async update() {
      const move = await api.move(id, side);
      const ended = move.phase === 'ended';
      say(title, move.guest ?? id);
      say(why, words.why(move));
      bar.value = move.dirtyPages > 0 ? (move.dirtyPages - move.leftPages) / move.dirtyPages : ended ? 1 : 0;
      facts.set('Side', move.side);
      facts.set('Peer', move.to ?? '–');
      facts.set('State', move.state ?? move.phase);
      facts.set('Round', String(move.round ?? '–'));
      facts.set('Dirty', words.pages(move.dirtyPages));
      facts.set('Left of the round', words.pages(move.leftPages));
      facts.set('Sent', words.bytes(move.wireBytes));
      facts.set('Rate', words.rate(move.wireBytesPerSecond));
      facts.set('Written by the guest', words.rate(move.dirtyBytesPerSecond));
      facts.set('Throttle', move.throttlePercent ? `${move.throttlePercent} %` : 'none');
      facts.set('Predicted pause', `${words.predicted(move)} of ${move.limits?.maxDowntime ?? '–'}`);
      facts.set('Began', words.time(move.startedAt));
      facts.set('Result', move.result ?? '–');
      facts.set('Total', words.millis(move.report?.totalMs));
      facts.set('Downtime', words.millis(move.report?.downtimeMs));
      facts.set('Slower by', move.report?.guestSlowdown ? `${move.report.guestSlowdown.percent} %` : '–');
      inputs.forEach((input, name) => {
        input.placeholder = move.limits?.[name] ?? LIMITS.find(([key]) => key === name)[2];
      });
      limitsPanel.hidden = ended || move.side !== 'source';
      if (!known) {
        known = true;
        showRounds(await api.rounds(id, side));
        (await api.log(id, side)).forEach(line => addLine(`${line.level} ${line.message}`));
      }
      memoryPanel.hidden = ended;
      if (!ended && move.phase === 'running') {
        memory.update(await api.map(id, side).catch(() => ({})));
      }
      return !ended;
    },
    on(kind, data) {
      if (data.migration !== id || (data.side ?? side) !== side) {
        return;
      }
      if (kind === 'round' && known) {
        showRounds([...rounds, data].slice(-1000));
      } else if (kind === 'log') {
        addLine(`${new Date(data.at).toLocaleTimeString()} ${data.level} ${data.message}`);
      } else if (kind === 'state') {
        addLine(`${new Date(data.at).toLocaleTimeString()} state ${data.state}`);
      }
    },
    failed: problem => say(error, problem.message),
    close: () => chart?.close(),
  };
}
