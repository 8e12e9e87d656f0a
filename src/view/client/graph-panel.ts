// The graph: scopes that fold, forward and backward side by side, what each kernel computes as a region. Selecting a node
// shows its reads, its readers and the links to its gradient; a click opens a scope, one on its heading folds it.

import { type Context, nodesOf, type Panel } from './context.ts';
import { h, legend, replace } from './dom.ts';
import { type Box, heading, type Layout, layoutGraph, type Tree, treesOf, usualOpen } from './layout.ts';
import { outline } from './outline.ts';
import type { State } from './state.ts';
import { fitText, type Hit, Surface, type View } from './surface.ts';
import { colours, partColour } from './theme.ts';

const titles = { forward: 'forward', backward: 'backward', update: 'update' } as const;

export function graphPanel({ model, store }: Context): Panel {
  let isSource = false;
  let regions = true;
  let constants = false;
  let trees: readonly Tree[] = treesOf(model.compiled, constants);
  let open = usualOpen(trees);
  let layout: Layout;
  let chosen: ReadonlySet<number> = new Set();
  const graph = () => (isSource ? model.source : model.compiled);

  const surface = new Surface('The graph. The list of scopes beside it holds the same.', {
    zoom: 'both',
    margin: { left: 24, top: 16, right: 24, bottom: 24 },
    fitMost: 1.1,
    extent: () => layout,
    draw: (c, view, width, height) => draw(c, view, width, height),
    at: (x, y, view) => hit(x, y, view),
  });
  const list = h('div', { class: 'outline' });
  const count = h('span', { class: 'muted' });

  function lay(): void {
    layout = layoutGraph(graph(), trees, { open, regions: regions && !isSource, constants });
    const shown = layout.boxes.filter((b) => b.kind === 'node' || b.kind === 'scope').length;
    count.textContent = `${graph().graph.nodes.length} nodes, ${shown} boxes shown`;
    replace(list, outline(trees, graph(), open, chosen, { toggle, select }));
  }

  function rebuild(fit: boolean): void {
    trees = treesOf(graph(), constants);
    lay();
    if (fit) surface.fit();
    else surface.redraw();
  }

  function select(node: number): void {
    store.select(isSource ? 'declared' : 'node', node);
  }

  /** Opens or folds a scope; it stays where it was on the screen. */
  function toggle(key: string): void {
    const before = layout.boxes.find((b) => b.key === key);
    if (!open.delete(key)) open.add(key);
    surface.pin(() => {
      lay();
      const after = layout.boxes.find((b) => b.key === key);
      if (before === undefined || after === undefined)
        return [
          [0, 0],
          [0, 0],
        ];
      return [
        [before.x + before.width / 2, before.y],
        [after.x + after.width / 2, after.y],
      ];
    });
  }

  function openAll(isOpen: boolean): void {
    open = new Set();
    const visit = (t: Tree): void => {
      for (const scope of t.scopes.values()) {
        open.add(scope.key);
        visit(scope);
      }
    };
    if (isOpen) trees.forEach(visit);
    lay();
    surface.fit();
  }

  /** Opens what hides a node. */
  function uncover(node: number): void {
    const visit = (t: Tree): boolean => {
      if (!t.all.includes(node)) return false;
      if (!trees.includes(t)) open.add(t.key);
      for (const scope of t.scopes.values()) visit(scope);
      return true;
    };
    trees.forEach(visit);
  }

  function hit(x: number, y: number, view: View): Hit | null {
    const [wx, wy] = [(x - view.x) / view.scaleX, (y - view.y) / view.scaleY];
    // The innermost box comes last.
    const box = layout.boxes.findLast(
      (b) => wx >= b.x && wx <= b.x + b.width && wy >= b.y && wy <= b.y + b.height,
    );
    if (box === undefined) return null;
    if (box.kind === 'node') {
      const n = graph().graph.nodes[box.nodes[0]!]!;
      return { lines: [n.name, `${n.op}: ${n.type}`], click: () => select(box.nodes[0]!) };
    }
    if (box.kind === 'region') {
      const step = model.inspection.steps[box.step!]!;
      return {
        lines: [`step ${box.step}, kernel ${step.kernel}`, step.label],
        click: () => store.select('step', box.step!),
      };
    }
    // A folded scope opens wherever it is clicked; an open one folds by its heading, since its inside is to be moved about.
    const isFolded = box.kind === 'scope';
    if (!isFolded && wy > box.y + heading) return { lines: [] };
    const what = isFolded ? 'click to open' : 'click to fold';
    return { lines: [box.label, `${box.nodes.length} nodes; ${what}`], click: () => toggle(box.key) };
  }

  function draw(c: CanvasRenderingContext2D, view: View, width: number, height: number): void {
    const [left, topEdge] = [-view.x / view.scaleX, -view.y / view.scaleY];
    const [right, bottom] = [left + width / view.scaleX, topEdge + height / view.scaleY];
    const isSeen = (b: Box): boolean =>
      b.x < right && b.x + b.width > left && b.y < bottom && b.y + b.height > topEdge;
    const withText = view.scaleX > 0.32;
    c.save();
    c.translate(view.x, view.y);
    c.scale(view.scaleX, view.scaleY);
    c.textBaseline = 'middle';
    for (const { part, x, width: w } of layout.columns) {
      c.fillStyle = partColour(part);
      c.font = '600 17px system-ui, sans-serif';
      c.textAlign = 'center';
      c.fillText(titles[part], x + w / 2, 14);
      c.fillRect(x, 29, w, 2);
    }
    const seen = layout.boxes.filter(isSeen);
    const isFrame = (b: Box): boolean => b.kind === 'open' || b.kind === 'region';
    if (withText) for (const b of seen) if (isFrame(b)) drawFrame(c, b, withText);
    if (!withText) drawFar(c, seen.filter(isFrame));
    drawEdges(c, view.scaleX, { left, top: topEdge, right, bottom });
    if (withText) for (const b of seen) if (!isFrame(b)) drawBox(c, b, withText);
    if (!withText)
      drawFar(
        c,
        seen.filter((b) => !isFrame(b)),
      );
    drawLinks(c, view.scaleX);
    c.restore();
  }

  function drawFrame(c: CanvasRenderingContext2D, b: Box, withText: boolean): void {
    const paint = colours();
    c.beginPath();
    c.roundRect(b.x, b.y, b.width, b.height, b.kind === 'open' ? 8 : 6);
    if (b.kind === 'open') {
      c.fillStyle = b.depth % 2 === 1 ? paint['scope-open'] : paint.scope;
      c.strokeStyle = paint.line;
    } else {
      c.fillStyle = paint.region;
      c.strokeStyle = partColour(b.part);
    }
    c.globalAlpha = b.kind === 'region' ? 0.55 : 1;
    c.fill();
    c.globalAlpha = 1;
    const isChosen = store.state.selection?.kind === 'step' && store.state.selection.id === b.step;
    c.lineWidth = isChosen ? 2.5 : 1;
    if (b.kind === 'region') c.setLineDash([5, 3]);
    c.stroke();
    c.setLineDash([]);
    if (!withText) return;
    c.textAlign = 'left';
    c.fillStyle = b.kind === 'open' ? paint.text : paint.muted;
    c.font = b.kind === 'open' ? '600 12px system-ui, sans-serif' : '10.5px system-ui, sans-serif';
    c.fillText(fitText(c, b.label, b.width - 20), b.x + 10, b.y + 12);
  }

  function drawBox(c: CanvasRenderingContext2D, b: Box, withText: boolean): void {
    const paint = colours();
    const isScope = b.kind === 'scope';
    const isLeaf = !isScope && graph().graph.nodes[b.nodes[0]!]!.operands.length === 0;
    const isChosen = b.nodes.some((n) => chosen.has(n));
    c.beginPath();
    c.roundRect(b.x, b.y, b.width, b.height, isScope ? 9 : isLeaf ? 16 : 4);
    c.fillStyle = isScope ? partColour(b.part) : isLeaf ? paint.leaf : paint.node;
    c.fill();
    c.strokeStyle = isChosen ? paint.accent : isScope ? partColour(b.part) : paint.line;
    c.lineWidth = isChosen ? 3 : 1;
    c.stroke();
    if (!isScope && !isLeaf) {
      c.fillStyle = partColour(b.part);
      c.fillRect(b.x, b.y + 3, 3, b.height - 6);
    }
    if (!withText) return;
    c.textAlign = 'center';
    const middle = b.x + b.width / 2;
    c.fillStyle = isScope ? paint['on-part'] : paint.text;
    c.font = `600 ${isScope ? 13 : 12}px system-ui, sans-serif`;
    c.fillText(fitText(c, b.label, b.width - 10), middle, b.y + (isScope ? 14 : 11.5));
    c.font = '10.5px system-ui, sans-serif';
    c.fillStyle = isScope ? paint['on-part'] : paint.muted;
    c.fillText(fitText(c, b.sub, b.width - 8), middle, b.y + (isScope ? 29 : 25));
  }

  /** Boxes from afar: plain, and all of a colour at once, since thousands may be in sight. */
  function drawFar(c: CanvasRenderingContext2D, boxes: readonly Box[]): void {
    const paint = colours();
    const colourOf = (b: Box): string => {
      if (b.nodes.some((n) => chosen.has(n)) && (b.kind === 'node' || b.kind === 'scope'))
        return paint.accent;
      if (b.kind === 'open') return b.depth % 2 === 1 ? paint['scope-open'] : paint.scope;
      return b.kind === 'region' ? paint.region : partColour(b.part);
    };
    // Frames lie in each other: a new colour ends what may be drawn together.
    for (let i = 0; i < boxes.length; ) {
      const colour = colourOf(boxes[i]!);
      c.beginPath();
      for (; i < boxes.length && colourOf(boxes[i]!) === colour; i++) {
        const b = boxes[i]!;
        c.rect(b.x, b.y, b.width, b.height);
      }
      c.fillStyle = colour;
      c.fill();
    }
  }

  /** All edges in sight as one path. */
  function drawEdges(
    c: CanvasRenderingContext2D,
    scale: number,
    sight: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
  ): void {
    const seen = layout.edges.filter(
      ({ bounds }) =>
        bounds.left < sight.right &&
        bounds.right > sight.left &&
        bounds.top < sight.bottom &&
        bounds.bottom > sight.top,
    );
    const paint = colours();
    c.strokeStyle = paint.edge;
    c.fillStyle = paint.edge;
    c.lineWidth = Math.max(1, 0.6 / scale);
    c.beginPath();
    const isFar = scale < 0.3;
    for (const { points } of seen) {
      c.moveTo(points[0]!.x, points[0]!.y);
      if (isFar || points.length === 2) {
        for (const p of points) c.lineTo(p.x, p.y);
        continue;
      }
      for (let i = 1; i < points.length - 1; i++) {
        const [p, q] = [points[i]!, points[i + 1]!];
        const isLast = i === points.length - 2;
        c.quadraticCurveTo(p.x, p.y, isLast ? q.x : (p.x + q.x) / 2, isLast ? q.y : (p.y + q.y) / 2);
      }
    }
    c.stroke();
    if (isFar) return;
    for (const { points } of seen) {
      const [from, to] = [points.at(-2)!, points.at(-1)!];
      arrow(c, from.x, from.y, to.x, to.y);
    }
  }

  function arrow(c: CanvasRenderingContext2D, x0: number, y0: number, x: number, y: number): void {
    const angle = Math.atan2(y - y0, x - x0);
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x - 7 * Math.cos(angle - 0.4), y - 7 * Math.sin(angle - 0.4));
    c.lineTo(x - 7 * Math.cos(angle + 0.4), y - 7 * Math.sin(angle + 0.4));
    c.fill();
  }

  /** Of what is selected: reads and readers, also into other columns, and the gradient. */
  function drawLinks(c: CanvasRenderingContext2D, scale: number): void {
    if (chosen.size === 0 || chosen.size > 60) return;
    const paint = colours();
    const { readers, gradients, graph: g } = graph();
    const width = Math.max(1.6, 1.2 / scale);
    const drawn = new Set<string>();
    const join = (from: number, to: number, colour: string, dash: number[]): void => {
      const [a, b] = [layout.boxOf.get(from), layout.boxOf.get(to)];
      if (a === undefined || b === undefined || a === b) return;
      const key = [a.key, b.key].sort().join(' ');
      if (drawn.has(key)) return;
      drawn.add(key);
      c.strokeStyle = colour;
      c.fillStyle = colour;
      c.lineWidth = width;
      c.setLineDash(dash);
      const isBeside = Math.abs(a.x + a.width / 2 - b.x - b.width / 2) > Math.max(a.width, b.width);
      const right = b.x > a.x;
      const [x0, y0] = isBeside
        ? [right ? a.x + a.width : a.x, a.y + a.height / 2]
        : [a.x + a.width / 2, b.y > a.y ? a.y + a.height : a.y];
      const [x1, y1] = isBeside
        ? [right ? b.x : b.x + b.width, b.y + b.height / 2]
        : [b.x + b.width / 2, b.y > a.y ? b.y : b.y + b.height];
      const bend = isBeside ? (x1 - x0) / 2 : 0;
      const rise = isBeside ? 0 : (y1 - y0) / 2;
      c.beginPath();
      c.moveTo(x0, y0);
      c.bezierCurveTo(x0 + bend, y0 + rise, x1 - bend, y1 - rise, x1, y1);
      c.stroke();
      c.setLineDash([]);
      arrow(c, x1 - Math.sign(bend) * 10, y1 - (bend === 0 ? Math.sign(rise) * 10 : 0), x1, y1);
    };
    for (const n of chosen) {
      for (const o of g.nodes[n]?.operands ?? []) join(o, n, paint.accent, []);
      for (const r of readers[n] ?? []) join(n, r, paint.accent, []);
      if (chosen.size <= 8) for (const d of gradients[n] ?? []) join(n, d, paint.backward, [6, 4]);
    }
  }

  function turn(toSource: boolean): void {
    isSource = toSource;
    which.value = isSource ? 'source' : 'compiled';
    chosen = new Set();
    trees = treesOf(graph(), constants);
    open = usualOpen(trees);
    lay();
    surface.fit();
  }

  const box = (text: string, isChecked: boolean, change: (on: boolean) => void): HTMLElement => {
    const input = h('input', { type: 'checkbox', onchange: () => change(input.checked) });
    input.checked = isChecked;
    return h('label', {}, input, text);
  };
  const which = h(
    'select',
    {
      'aria-label': 'Which graph',
      onchange: () => {
        store.set({ selection: null });
        turn(which.value === 'source');
      },
    },
    h('option', { value: 'compiled' }, 'compiled graph'),
    h('option', { value: 'source' }, 'declared graph'),
  );
  const bar = h(
    'div',
    { class: 'bar' },
    which,
    box('kernels as regions', regions, (on) => {
      regions = on;
      rebuild(false);
    }),
    box('scalar constants', constants, (on) => {
      constants = on;
      rebuild(false);
    }),
    h('button', { type: 'button', onclick: () => openAll(true) }, 'open all'),
    h('button', { type: 'button', onclick: () => openAll(false) }, 'fold all'),
    h('button', { type: 'button', onclick: () => surface.fit() }, 'fit'),
    count,
    legend(['line accent', 'reads'], ['line gradient', 'gradient']),
  );
  const element = h(
    'div',
    { class: 'panel graph' },
    bar,
    h('div', { class: 'split' }, list, surface.element),
  );
  lay();

  const show = ({ selection }: State): void => {
    // A link to the other graph turns the picture to it.
    if (selection !== null && (selection.kind === 'declared') !== isSource)
      turn(selection.kind === 'declared');
    const before = chosen;
    chosen = new Set(isSource ? (selection === null ? [] : [selection.id]) : nodesOf(model, selection));
    const [first] = chosen;
    if ((selection?.kind === 'node' || isSource) && first !== undefined && !before.has(first)) {
      const known = layout.boxOf.get(first);
      if (known?.kind !== 'node') uncover(first);
    }
    lay();
    const at = first === undefined ? undefined : layout.boxOf.get(first);
    if (at !== undefined && !before.has(first!)) surface.reveal(at.x, at.y, at.width, at.height, 0.6);
    surface.redraw();
  };
  return { element, show };
}
