// The places that wait for guests.

import * as api from './api.js';
import {el, table} from './dom.js';

export function slotsView() {
  const all = table('Slots of this host', ['Name', 'Guest', 'State', 'Move']);
  return {
    title: 'Slots',
    element: el('section', {'aria-label': 'Slots'}, all.element),
    async update() {
      const slots = await api.slots();
      all.update(slots, slot => slot.name, slot => [slot.name, slot.guest, slot.state,
        slot.migration ? el('a', {href: `#/move/${encodeURIComponent(slot.migration)}/target`}, slot.migration) : '–']);
      return slots.some(slot => slot.state === 'receiving');
    },
  };
}
