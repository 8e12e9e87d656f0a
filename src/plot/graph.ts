// Directed graphs, from left to right: nodes as boxes, edges with what flows along them, forward above and, in another colour, what
// comes back below. Places are found by dagre.

import { refuse } from './check.ts';
import { Figure, type FigureOptions, type Spec } from './figure.ts';
import { needed } from './needed.ts';

export interface GraphNode {
  readonly id: string;
  /** Lines of text in the box; default the id. */
  readonly label?: string | readonly string[] | undefined;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Flows along the edge: a value. */
  readonly forward?: string | undefined;
  /** Comes back: an adjoint. */
  readonly backward?: string | undefined;
}

const lineHeight = 17;
const textWidth = (text: string): number => 8 * text.length;

/**
 * A graph with what flows along its edges, and back. Throws HDL0016 (an edge of a node
 * that is not there), HDL0040 when @dagrejs/dagre is not installed.
 *
 * @example await plot.graph({ nodes: [{ id: 'x' }, { id: 'y' }], edges: [{ from: 'x', to: 'y', forward: '2', backward: '1' }] })
 */
export async function graph(
  { nodes, edges }: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] },
  options: FigureOptions = {},
): Promise<Figure> {
  const ids = new Set(nodes.map((n) => n.id));
  for (const { from, to } of edges) {
    const unknown = [from, to].find((id) => !ids.has(id));
    if (unknown === undefined) continue;
    refuse(
      `graph with an edge from '${from}' to '${to}'`,
      `there is no node '${unknown}'`,
      `nodes are ${[...ids].map((id) => `'${id}'`).join(', ')}`,
    );
  }
  const dagre = await needed('@dagrejs/dagre', import('@dagrejs/dagre'));
  const layout = new dagre.graphlib.Graph({ multigraph: true });
  layout.setGraph({ rankdir: 'LR', nodesep: 34, ranksep: 26, edgesep: 24, marginx: 4, marginy: 4 });
  layout.setDefaultEdgeLabel(() => ({}));
  const linesOf = ({ id, label = id }: GraphNode): readonly string[] =>
    typeof label === 'string' ? [label] : label;
  for (const node of nodes) {
    const lines = linesOf(node);
    layout.setNode(node.id, {
      width: Math.max(34, ...lines.map(textWidth)) + 18,
      height: lineHeight * lines.length + 14,
    });
  }
  edges.forEach((e, i) => {
    const texts = [e.forward, e.backward].filter((s) => s !== undefined);
    layout.setEdge(
      e.from,
      e.to,
      { width: Math.max(20, ...texts.map(textWidth)) + 8, height: 2 * lineHeight + 6, labelpos: 'c' },
      `e${i}`,
    );
  });
  dagre.layout(layout);
  const size = layout.graph() as { readonly width: number; readonly height: number };
  const boxes = nodes.map((node) => ({ ...(layout.node(node.id) as Place), lines: linesOf(node) }));
  const lines = edges.map((e, i) => ({
    ...(layout.edge({ v: e.from, w: e.to, name: `e${i}` }) as Route),
    edge: e,
  }));
  return new Figure((theme, width) => {
    // Drawn smaller where it is wider than its place; text keeps its size as long as it can.
    const scale = Math.min(1, width / size.width);
    const axis = (field: string, most: number, flip: boolean): Spec => ({
      field,
      type: 'quantitative',
      axis: null,
      scale: { domain: flip ? [most, 0] : [0, most], nice: false, zero: false },
    });
    const place = { x: axis('x', size.width, false), y: axis('y', size.height, true) };
    const ends = lines.map(({ points }) => {
      const [p, q] = [points.at(-2)!, points.at(-1)!];
      return { ...q, angle: (Math.atan2(q.y - p.y, q.x - p.x) * 180) / Math.PI + 90 };
    });
    const label = (key: 'forward' | 'backward', dy: number, color: string, halo = 0): Spec => ({
      data: {
        values: lines
          .filter((l) => l.edge[key] !== undefined)
          .map((l) => ({ x: l.x, y: l.y, text: l.edge[key] })),
      },
      mark: {
        type: 'text',
        dy: dy * scale,
        color,
        fontSize: 12 * scale,
        fontWeight: 600,
        ...(halo > 0 && { stroke: color, strokeWidth: halo }),
      },
      encoding: { ...place, text: { field: 'text' } },
    });
    return {
      width: size.width * scale,
      height: size.height * scale,
      view: { stroke: null },
      layer: [
        {
          data: {
            values: lines.flatMap(({ points }, edge) => points.map((p, order) => ({ ...p, edge, order }))),
          },
          mark: { type: 'line', interpolate: 'basis', color: theme.faint, strokeWidth: 1.4 },
          encoding: { ...place, detail: { field: 'edge' }, order: { field: 'order' } },
        },
        {
          data: { values: ends },
          mark: {
            type: 'point',
            shape: 'triangle-up',
            filled: true,
            size: 70 * scale,
            color: theme.faint,
            opacity: 1,
          },
          encoding: { ...place, angle: { field: 'angle', type: 'quantitative', scale: null } },
        },
        {
          data: {
            values: boxes.map((b) => ({
              x: b.x - b.width / 2,
              x2: b.x + b.width / 2,
              y: b.y - b.height / 2,
              y2: b.y + b.height / 2,
            })),
          },
          mark: { type: 'rect', fill: theme.ground, stroke: theme.text, strokeWidth: 1.4, cornerRadius: 6 },
          encoding: { ...place, x2: { field: 'x2' }, y2: { field: 'y2' } },
        },
        {
          data: {
            values: boxes.flatMap((b) =>
              b.lines.map((text, i) => ({
                x: b.x,
                y: b.y + (i - (b.lines.length - 1) / 2) * lineHeight,
                text,
              })),
            ),
          },
          mark: { type: 'text', fontSize: 13 * scale },
          encoding: { ...place, text: { field: 'text' } },
        },
        // On ground of their own, where an edge runs through.
        label('forward', -11, theme.ground, 5),
        label('backward', 12, theme.ground, 5),
        label('forward', -11, theme.colors[0]!),
        label('backward', 12, theme.colors[1]!),
      ],
    };
  }, options);
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Route {
  readonly x: number;
  readonly y: number;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}
