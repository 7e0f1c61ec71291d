// Figures as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(count) {
  if (!Number.isFinite(count)) {
    return '–';
  }
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export const rate = perSecond => Number.isFinite(perSecond) ? `${bytes(perSecond)}/s` : '–';

export const pages = count => Number.isFinite(count) ? bytes(count * 4096) : '–';

export function millis(value) {
  if (!Number.isFinite(value)) {
    return '–';
  }
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

export const time = value => value ? new Date(value).toLocaleString() : '–';

/** The number of milliseconds that a text like "300ms" or "1.5s" means, or NaN. */
export function millisOf(text) {
  const found = /^([\d.]+)\s*(ms|s|m|h)$/.exec(text ?? '');
  return found ? Number(found[1]) * {ms: 1, s: 1000, m: 60000, h: 3600000}[found[2]] : NaN;
}

/** The predicted pause, as it is likely and as it is hardly exceeded. */
export const predicted = move => move.predictedDowntimeMs
  ? `${millis(move.predictedDowntimeMs.p50)} (P50), ${millis(move.predictedDowntimeMs.p95)} (P95)` : '–';

/** Why a move has not ended yet, by its figures. */
export function why(move) {
  if (move.phase === 'queued') {
    return move.queue ? `waits at place ${move.queue.position}: ${move.queue.reason}` : 'waits for its turn';
  }
  if (move.phase === 'ended') {
    return move.report?.error ? `${move.report.error.reason}; ${move.report.error.remedy ?? ''}`
      : `ended: ${move.result}`;
  }
  if (move.side === 'target') {
    return `takes a guest in: ${move.state}`;
  }
  if (move.state !== 'precopy') {
    return `is in ${move.state}`;
  }
  const limit = millisOf(move.limits?.maxDowntime);
  const pause = move.predictedDowntimeMs?.p95;
  if (!(move.round > 0)) {
    return 'sends all of the memory for the first time';
  }
  if (pause > limit) {
    const writes = move.dirtyBytesPerSecond;
    const carries = move.wireBytesPerSecond;
    return `the pause would take ${millis(pause)}, which is more than ${millis(limit)}`
      + (writes > 0 && carries > 0 ? `: the guest writes ${rate(writes)}, ${rate(carries)} are sent` : '');
  }
  return 'sends what was written meanwhile';
}
