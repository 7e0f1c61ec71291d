// Which view is shown, and when it is brought up to date.

import * as api from './api.js';
import {say} from './dom.js';
import {moveView} from './move.js';
import {historyView, movesView} from './moves.js';
import {slotsView} from './slots.js';

const FAST = 500;
const SLOW = 5000;

const main = document.getElementById('main');
const health = document.getElementById('health');
let view = null;
let timer = 0;
let busy = false;
let stale = false;

function chosen() {
  const [, name, id, side] = /^#\/(\w*)\/?([^/]*)\/?(\w*)$/.exec(location.hash || '#/') ?? [];
  switch (name) {
    case 'move': return {nav: 'moves', view: moveView(decodeURIComponent(id), side || 'source')};
    case 'slots': return {nav: 'slots', view: slotsView()};
    case 'history': return {nav: 'history', view: historyView()};
    default: return {nav: 'moves', view: movesView()};
  }
}

function show() {
  view?.close?.();
  const next = chosen();
  view = next.view;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === next.nav) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
  document.title = `${view.title} – Pageferry`;
  main.replaceChildren(view.element);
  main.focus({preventScroll: true});
  refresh();
}

/** One at a time: a slow agent is not asked faster than it answers. */
async function refresh() {
  clearTimeout(timer);
  if (busy) {
    stale = true;
    return;
  }
  busy = true;
  stale = false;
  const of = view;
  let soon = SLOW;
  try {
    soon = await of.update() ? FAST : SLOW;
    tell(true);
  } catch (problem) {
    if (problem.status === undefined) {
      tell(false);
    } else {
      of.failed?.(problem);
    }
  } finally {
    busy = false;
    if (!document.hidden) {
      timer = setTimeout(refresh, stale || of !== view ? 0 : soon);
    }
  }
}

function tell(up) {
  health.classList.toggle('bad', !up);
  say(health, up ? 'connected' : 'the agent does not answer; what is shown is old');
}

window.addEventListener('hashchange', show);
document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : refresh());
api.follow((kind, data) => {
  view?.on?.(kind, data);
  if (kind !== 'log') {
    refresh();
  }
}, tell);
show();
