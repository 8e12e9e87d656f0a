// The scopes of a graph as a list that folds: the same as the picture for those who use the keyboard or do not see it. A
// tree in the sense of ARIA: arrows move, right opens, left folds, Enter selects.

import { h } from './dom.ts';
import type { Tree } from './layout.ts';
import type { GraphModel } from './model.ts';

export interface OutlineActions {
  readonly toggle: (key: string) => void;
  readonly select: (node: number) => void;
}

/** Rows that are shown of one scope before the rest is left out: the picture has them all. */
const most = 300;

let focused = '';

export function outline(
  trees: readonly Tree[],
  { graph }: GraphModel,
  open: ReadonlySet<string>,
  chosen: ReadonlySet<number>,
  { toggle, select }: OutlineActions,
): HTMLElement {
  const rows: HTMLElement[] = [];
  const scopeRow = (t: Tree, level: number, isOpen: boolean): void => {
    rows.push(
      row(t.key, level, isOpen, t.name, String(t.all.length), false, level === 1 ? t.part : '', () => {
        if (level > 1) toggle(t.key);
      }),
    );
    if (!isOpen) return;
    for (const scope of t.scopes.values()) scopeRow(scope, level + 1, open.has(scope.key));
    for (const i of t.own.slice(0, most)) {
      const n = graph.nodes[i]!;
      const label = n.name.split('/').at(-1)!;
      rows.push(
        row(`n${i}`, level + 1, null, label, n.type.replace(/^f32/, ''), chosen.has(i), '', () => select(i)),
      );
    }
    if (t.own.length > most) rows.push(h('div', { class: 'muted' }, `… ${t.own.length - most} more`));
  };
  for (const t of trees) scopeRow(t, 1, true);
  const tree = h('div', { role: 'tree', 'aria-label': 'Scopes and nodes' }, rows);
  const current = rows.find((r) => r.dataset['key'] === focused) ?? rows[0];
  current?.setAttribute('tabindex', '0');
  tree.addEventListener('keydown', (e) => {
    const at = rows.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const move = (to: number): void => {
      const next = rows[Math.max(0, Math.min(rows.length - 1, to))];
      rows[at]!.setAttribute('tabindex', '-1');
      next?.setAttribute('tabindex', '0');
      focused = next?.dataset['key'] ?? '';
      next?.focus();
    };
    const expanded = rows[at]!.getAttribute('aria-expanded');
    if (e.key === 'ArrowDown') move(at + 1);
    else if (e.key === 'ArrowUp') move(at - 1);
    else if (e.key === 'Home') move(0);
    else if (e.key === 'End') move(rows.length - 1);
    else if (
      e.key === 'Enter' ||
      e.key === ' ' ||
      (e.key === 'ArrowRight' && expanded === 'false') ||
      (e.key === 'ArrowLeft' && expanded === 'true')
    ) {
      focused = rows[at]!.dataset['key'] ?? '';
      const root = tree.parentElement;
      rows[at]!.click();
      // The list is made anew: the focus goes to the row that took its place.
      root?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]')?.focus();
    } else return;
    e.preventDefault();
  });
  return tree;
}

function row(
  key: string,
  level: number,
  isOpen: boolean | null,
  label: string,
  note: string,
  isChosen: boolean,
  part: string,
  act: () => void,
): HTMLElement {
  return h(
    'div',
    {
      role: 'treeitem',
      tabindex: -1,
      'aria-level': level,
      'aria-expanded': isOpen === null ? null : String(isOpen),
      'aria-selected': String(isChosen),
      'data-key': key,
      class: `row${isChosen ? ' chosen' : ''}${part ? ` part-${part}` : ''}`,
      style: `padding-left: ${6 + 13 * (level - 1)}px`,
      onclick: act,
    },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, isOpen === null ? '' : isOpen ? '▾' : '▸'),
    h('span', { class: 'name' }, label),
    h('span', { class: 'note' }, note),
  );
}
