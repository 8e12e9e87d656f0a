// Search over everything that has a name: nodes, steps, kernels, buffers. A combobox in the sense of ARIA.

import { h, replace } from './dom.ts';
import type { EntryModel } from './model.ts';
import type { Kind, PanelName, Store } from './state.ts';

interface Found {
  readonly kind: Kind;
  readonly id: number;
  readonly text: string;
  readonly note: string;
}

const most = 40;
/** Where a thing is best seen. */
const home: Readonly<Record<Kind, PanelName>> = {
  node: 'graph',
  declared: 'graph',
  step: 'schedule',
  kernel: 'kernels',
  buffer: 'memory',
};

export function searchBox(modelOf: () => EntryModel, store: Store): HTMLElement & { focusInput: () => void } {
  let found: readonly Found[] = [];
  let at = 0;
  const input = h('input', {
    type: 'search', placeholder: 'Search nodes, steps, kernels, buffers  ( / )', role: 'combobox', 'aria-label': 'Search',
    'aria-expanded': 'false', 'aria-controls': 'found', 'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false',
  }); // biome-ignore format: attributes
  const list = h('div', { id: 'found', role: 'listbox', 'aria-label': 'Found', hidden: true });

  function update(): void {
    found = search(modelOf(), input.value);
    at = 0;
    draw();
  }

  function draw(): void {
    const isOpen = input.value.trim() !== '' && document.activeElement === input;
    list.hidden = !isOpen;
    input.setAttribute('aria-expanded', String(isOpen));
    input.setAttribute('aria-activedescendant', isOpen && found.length > 0 ? `found-${at}` : '');
    replace(
      list,
      found.length === 0 ? h('div', { class: 'muted row' }, 'Nothing has such a name.') : null,
      found.map((f, i) =>
        h(
          'div',
          {
            id: `found-${i}`,
            role: 'option',
            'aria-selected': String(i === at),
            class: `row${i === at ? ' chosen' : ''}`,
            onpointerdown: (e: PointerEvent) => {
              e.preventDefault();
              go(f);
            },
          },
          h('span', { class: 'kind' }, f.kind),
          h('span', { class: 'name' }, f.text),
          h('span', { class: 'note' }, f.note),
        ),
      ),
    );
    list.querySelector('.chosen')?.scrollIntoView({ block: 'nearest' });
  }

  function go({ kind, id }: Found): void {
    input.value = '';
    input.blur();
    store.select(kind, id, home[kind]);
  }

  input.addEventListener('input', update);
  input.addEventListener('focus', update);
  input.addEventListener('blur', draw);
  input.addEventListener('keydown', (e) => {
    if (e.key === 'ArrowDown') at = Math.min(found.length - 1, at + 1);
    else if (e.key === 'ArrowUp') at = Math.max(0, at - 1);
    else if (e.key === 'Enter') {
      const f = found[at];
      if (f !== undefined) go(f);
    } else if (e.key === 'Escape') {
      input.value = '';
      input.blur();
    } else return;
    e.preventDefault();
    draw();
  });
  const element = h('div', { class: 'search' }, input, list);
  return Object.assign(element, { focusInput: () => input.focus() });
}

/** `12` finds step 12 and kernel 12; words must all occur. */
function search({ inspection }: EntryModel, text: string): Found[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '');
  if (words.length === 0) return [];
  const all: Found[] = [];
  const fits = (...texts: readonly string[]): boolean => {
    const hay = texts.join(' ').toLowerCase();
    return words.every((w) => hay.includes(w));
  };
  const numbered = /^#?(\d+)$/.exec(text.trim())?.[1];
  const { steps, kernels, buffers, graph } = inspection;
  if (numbered !== undefined) {
    const n = Number(numbered);
    if (steps[n]) all.push({ kind: 'step', id: n, text: steps[n].label, note: String(n) });
    if (kernels[n]) all.push({ kind: 'kernel', id: n, text: kernels[n].name, note: String(n) });
    if (graph.nodes[n]) all.push({ kind: 'node', id: n, text: graph.nodes[n].name, note: `%${n}` });
  }
  graph.nodes.forEach((n, id) => {
    if (fits('node', n.name, n.op)) all.push({ kind: 'node', id, text: n.name, note: n.type });
  });
  steps.forEach((s, id) => {
    if (fits('step', s.label)) all.push({ kind: 'step', id, text: s.label, note: String(id) });
  });
  kernels.forEach((k, id) => {
    if (fits('kernel', k.name)) all.push({ kind: 'kernel', id, text: k.name, note: String(id) });
  });
  buffers.forEach((b, id) => {
    if (fits('buffer', b.name)) all.push({ kind: 'buffer', id, text: b.name, note: b.type });
  });
  // Some of each kind, rather than forty nodes.
  const kinds: readonly Kind[] = ['node', 'step', 'kernel', 'buffer'];
  const share = kinds.map((kind) => all.filter((f) => f.kind === kind));
  const each = Math.max(4, Math.floor(most / Math.max(1, share.filter((s) => s.length > 0).length)));
  const picked = share.flatMap((s) => s.slice(0, each));
  return all.length <= most ? all : numbered === undefined ? picked : [...all.slice(0, 3), ...picked];
}
