// Speaks to the agent that served this page, and to nobody else. Its paths begin in the page's own folder, outside of
// which a browser of the agent's host is not let in.

export class Problem extends Error {
  constructor(status, problem) {
    super([problem.reason ?? problem.detail ?? problem.title ?? `the agent answered ${status}`,
      problem.remedy].filter(Boolean).join('; '));
    this.status = status;
  }
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: body === undefined ? {} : {'Content-Type': 'application/json'},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    throw new Problem(response.status, {reason: 'the agent answered something else than JSON'});
  }
  if (!response.ok) {
    throw new Problem(response.status, answer);
  }
  return answer;
}

/** A move within one host has two sides there, which share their name. */
const of = (id, side, more = '') => `v1/migrations/${encodeURIComponent(id)}${more}?side=${side}`;

const inPhase = async phase => (await call('GET', `v1/migrations?phase=${phase}`)).migrations;

/** What waits and what runs; one that begins in between is asked for twice. */
export async function moves() {
  const all = [...await inPhase('queued'), ...await inPhase('running')];
  return [...new Map(all.map(move => [move.id + move.side, move])).values()];
}

/** What has ended, as the history keeps it: files that the agent reads. */
export const past = () => inPhase('ended');
export const move = (id, side) => call('GET', of(id, side));
export const rounds = async (id, side) => (await call('GET', of(id, side, '/rounds'))).rounds;
export const log = async (id, side) => (await call('GET', of(id, side, '/log'))).log;
export const map = (id, side) => call('GET', of(id, side, '/map'));
export const cancel = (id, side) => call('POST', of(id, side, '/cancel'), {});
export const limits = (id, side, changed) => call('PATCH', of(id, side), changed);
export const slots = async () => (await call('GET', 'v1/slots')).slots;
export const health = () => call('GET', 'v1/health');

/** Follows what happens, for as long as the page is open; the browser comes back by itself. */
export function follow(onEvent, onUp) {
  const source = new EventSource('v1/events');
  for (const kind of ['state', 'round', 'log', 'report', 'queued', 'limits', 'gap']) {
    source.addEventListener(kind, event => onEvent(kind, JSON.parse(event.data)));
  }
  source.onopen = () => onUp(true);
  source.onerror = () => onUp(false);
  return source;
}
