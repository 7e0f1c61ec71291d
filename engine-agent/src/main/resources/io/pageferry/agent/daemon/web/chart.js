// The rounds of a move as a chart. The same figures stand beside it as text.

import uPlot from './vendor/uPlot.esm.js';
import {bytes} from './words.js';

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draws into an element; drawn again in other colours when the system's scheme changes. */
export function roundsChart(element) {
  let plot = null;
  let data = [[], [], []];
  const dark = matchMedia('(prefers-color-scheme: dark)');

  function draw() {
    plot?.destroy();
    const axis = {stroke: colour('--text'), grid: {stroke: colour('--line')}, ticks: {stroke: colour('--line')}};
    plot = new uPlot({
      width: Math.max(280, element.clientWidth),
      height: 220,
      // Of one round uPlot itself would make a hundred.
      scales: {x: {time: false, range: ({data: [rounds]}) => [rounds[0] ?? 0,
        Math.max(rounds.at(-1) ?? 0, (rounds[0] ?? 0) + 4)]},
        y: {range: (_, least, most) => [0, (most || 1) * 1.05]}},
      series: [{label: 'round'},
        {label: 'dirty', stroke: colour('--dirty'), width: 2, value: (_, value) => bytes(value)},
        {label: 'sent over the wire', stroke: colour('--accent'), width: 2, value: (_, value) => bytes(value)}],
      axes: [{...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500]}, {...axis, size: 80, values: (_, values) => values.map(bytes)}],
    }, data, element);
  }

  const resized = new ResizeObserver(() => plot?.setSize({width: Math.max(280, element.clientWidth), height: 220}));
  dark.addEventListener('change', draw);
  resized.observe(element);
  return {
    update(rounds) {
      if (plot && rounds.length === data[0].length && rounds.at(-1)?.round === data[0].at(-1)) {
        return;
      }
      data = [rounds.map(round => round.round), rounds.map(round => round.dirtyPages * 4096),
        rounds.map(round => round.wireBytes)];
      if (plot) {
        plot.setData(data);
      } else {
        draw();
      }
    },
    close() {
      dark.removeEventListener('change', draw);
      resized.disconnect();
      plot?.destroy();
    },
  };
}
