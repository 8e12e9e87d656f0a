// Elements, made of data. Texts become text nodes and attributes, never HTML: whatever a user called a layer, it is only
// shown.

type Child = Node | string | number | null | false | readonly Child[];

type Props = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: never) => void)>
>;

/** `h('button', { class: 'link', onclick: () => … }, 'text')` */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value as EventListener);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === false) continue;
    if (Array.isArray(child)) append(parent, child as readonly Child[]);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replace(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** A button that reads like a link. */
export function link(text: string, go: () => void, title = ''): HTMLButtonElement {
  return h('button', { class: 'link', type: 'button', title: title || null, onclick: go }, text);
}

/** What marks mean: the class of each, and its text. */
export function legend(...marks: readonly (readonly [mark: string, text: string])[]): HTMLElement {
  return h(
    'span',
    { class: 'legend' },
    marks.flatMap(([mark, text]) => [h('i', { class: mark }), text]),
  );
}

/** A table with a caption for those who do not see where it stands. */
export function table(
  caption: string,
  header: readonly string[],
  rows: readonly (readonly Child[])[],
  numeric: readonly number[] = [],
): HTMLTableElement {
  const cell = (c: number): Props => (numeric.includes(c) ? { class: 'number' } : {});
  return h(
    'table',
    {},
    h('caption', { class: 'hidden' }, caption),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        header.map((text, c) => h('th', { scope: 'col', ...cell(c) }, text)),
      ),
    ),
    h(
      'tbody',
      {},
      rows.map((row) =>
        h(
          'tr',
          {},
          row.map((x, c) => h('td', cell(c), x)),
        ),
      ),
    ),
  );
}
