// The guest's memory as cells, each some pages that lie beside each other. The counts stand beside it as text.

import {el, say} from './dom.js';
import {bytes} from './words.js';

/** In the order of the numbers that the agent sends. */
export const KINDS = ['empty', 'sent', 'dirty', 'hot', 'verified'];

const COLUMNS = 64;

export function memoryMap() {
  const canvas = el('canvas', {class: 'map', 'aria-hidden': 'true', width: COLUMNS, height: COLUMNS});
  const counts = new Map(KINDS.map(kind => [kind, el('span', {}, '0')]));
  const legend = el('ul', {class: 'legend'}, ...KINDS.map(kind => el('li', {}, el('i', {class: kind}),
    `${kind}: `, counts.get(kind))));
  const size = el('p', {}, '');
  const pen = canvas.getContext('2d');
  return {
    element: el('div', {}, canvas, legend, size),
    update(map) {
      const cells = map.cells ?? '';
      const rows = Math.max(1, Math.ceil(cells.length / COLUMNS));
      if (canvas.height !== rows) {
        canvas.height = rows;
      }
      const style = getComputedStyle(document.documentElement);
      const colours = KINDS.map(kind => style.getPropertyValue(`--${kind}`).trim());
      const found = new Array(KINDS.length).fill(0);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      for (let at = 0; at < cells.length; at++) {
        const kind = cells.charCodeAt(at) - 48;
        found[kind]++;
        pen.fillStyle = colours[kind];
        pen.fillRect(at % COLUMNS, Math.floor(at / COLUMNS), 1, 1);
      }
      KINDS.forEach((kind, at) => say(counts.get(kind), `${found[at]} cells`));
      say(size, cells.length ? `One cell is ${bytes(map.pagesPerCell * 4096)}.` : 'Nothing is known of it yet.');
    },
  };
}
