// Draws docs/images/memory.svg: the arena of the main example's training plan. Run by `npm run figures`, after a build.
//
// Each buffer is a rectangle: from the step that writes it to the last step that reads it, at the addresses that it has.
// All of it comes from the plan's manifest, so the picture says what the plan says.

import { mkdirSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const load = (path) => import(new URL(`build/${path}.js`, root).href);
const { losses, metrics, optimizers } = await load('src/index');
const { loadPlans } = await load('runtime/file');
const { lowerBound } = await load('compiler/schedule/print');
const { resnet8 } = await load('examples/resnet');

const batch = 32;

const kinds = [
  { name: 'input', color: '#d4a017', holds: (b) => b.from < 0 },
  {
    name: 'weights: packed, and their gradients',
    color: '#b0439a',
    holds: (b) => /packed|^optimizer\/|^random\//.test(b.name),
  },
  { name: 'backward', color: '#d9622b', holds: (b) => b.name.startsWith('grad/') },
  { name: 'forward', color: '#2f7fc1', holds: () => true },
];

const { manifest } = await trainingPlan();
mkdirSync(new URL('docs/images/', root), { recursive: true });
writeFileSync(new URL('docs/images/memory.svg', root), draw(manifest));
console.log('docs/images/memory.svg');

async function trainingPlan() {
  const model = resnet8([1, 28, 28], 10).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    metrics: [metrics.accuracy()],
    threads: 2,
  });
  await model.program.compile('train', { batch });
  const { plans } = loadPlans(await model.save());
  await model.dispose();
  return plans.find((p) => p.manifest.entry === 'train');
}

function draw({ buffers, steps, arenaBytes, ...rest }) {
  const manifest = { buffers, steps, arenaBytes, ...rest };
  const [width, height] = [720, 470];
  const plot = { left: 58, top: 46, right: width - 12, bottom: height - 66 };
  const least = lowerBound(manifest);
  const top = Math.max(arenaBytes, least) * 1.04;
  const x = (step) => plot.left + ((step + 1) / (steps.length + 1)) * (plot.right - plot.left);
  const y = (bytes) => plot.bottom - (bytes / top) * (plot.bottom - plot.top);
  const out = [];
  const text = (px, py, content, more = '') =>
    out.push(`<text x="${round(px)}" y="${round(py)}"${more}>${escapeXml(content)}</text>`);

  const MiB = 1024 * 1024;
  const together = buffers.reduce((n, b) => n + b.bytes, 0);
  text(plot.left, 22, `Memory of one training step: ResNet-8, ${batch} pictures`, ' class="title"');
  text(
    plot.left,
    38,
    `${buffers.length} buffers, ${mib(together)} together, in an arena of ${mib(arenaBytes)}; no placement needs less than ${mib(least)}`,
  );

  for (let m = 0; m * MiB <= top; m += arenaBytes > 12 * MiB ? 4 : 2) {
    out.push(`<path class="grid" d="M${plot.left} ${round(y(m * MiB))}H${plot.right}"/>`);
    text(plot.left - 6, y(m * MiB) + 4, m === 0 ? '0' : `${m} MiB`, ' text-anchor="end"');
  }
  for (let s = 0; s <= steps.length; s += 50) {
    out.push(`<path class="grid" d="M${round(x(s))} ${plot.bottom}v5"/>`);
    // The word at the end of the axis needs its place.
    if (plot.right - x(s) > 50) text(x(s), plot.bottom + 18, `${s}`, ' text-anchor="middle"');
  }
  text(plot.right, plot.bottom + 18, 'step', ' text-anchor="end"');

  const loss = firstBackward(steps);
  for (const b of [...buffers].sort((p, q) => q.bytes - p.bytes)) {
    const kind = kinds.find((k) => k.holds(b));
    // A buffer is alive up to the end of the last step that reads it.
    const [from, to] = [x(b.from), x(Math.min(b.to + 1, steps.length))];
    const [high, low] = [y(b.offset + b.bytes), y(b.offset)];
    const [w, h] = [Math.max(to - from, 0.8), Math.max(low - high, 0.5)];
    const title = `${b.name}: ${b.bytes} bytes at ${b.offset}, steps ${b.from} to ${b.to}`;
    out.push(
      `<rect x="${round(from)}" y="${round(high)}" width="${round(w)}" height="${round(h)}" fill="${kind.color}"><title>${escapeXml(title)}</title></rect>`,
    );
    if (h >= 13 && w >= 7 * b.name.length) {
      out.push(
        `<text class="name" x="${round(from + 5)}" y="${round((high + low) / 2 + 4)}">${escapeXml(b.name)}</text>`,
      );
    }
  }
  if (loss > 0) {
    out.push(`<path class="mark" d="M${round(x(loss))} ${plot.top}V${plot.bottom}"/>`);
    text(x(loss) - 5, plot.top + 11, 'forward', ' text-anchor="end"');
    text(x(loss) + 5, plot.top + 11, 'backward');
  }
  out.push(`<path class="bound" d="M${plot.left} ${round(y(least))}H${plot.right}"/>`);

  let at = plot.left;
  const legend = [...kinds]
    .reverse()
    .map((k) => ({ ...k, box: `<rect y="-9" width="11" height="11" fill="${k.color}"/>` }));
  legend.push({ name: 'lower bound', box: '<path class="bound" d="M0 -4h14"/>' });
  for (const { name, box } of legend) {
    out.push(`<g transform="translate(${round(at)} ${height - 18})">${box}<text x="18">${name}</text></g>`);
    at += 36 + 6.3 * name.length;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Memory map of the training plan of ResNet-8">
<style>
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #3d444d }
  .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
  .name { font-size: 10px; fill: #fff }
  .page { fill: #fff }
  .grid { stroke: #d1d9e0; fill: none }
  .mark { stroke: #59636e; fill: none; stroke-dasharray: 2 3 }
  .bound { stroke: #c0143c; fill: none; stroke-width: 1.5; stroke-dasharray: 7 4 }
  rect[fill^='#'] { stroke: #fff; stroke-width: 0.4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #c3cad2 }
    .title { fill: #f0f3f6 }
    .name { fill: #fff }
    .page { fill: #0d1117 }
    .grid { stroke: #30363d }
    .mark { stroke: #9198a1 }
    .bound { stroke: #ff6b81 }
    rect[fill^='#'] { stroke: #0d1117 }
  }
</style>
<rect class="page" width="${width}" height="${height}"/>
${out.join('\n')}
</svg>
`;
}

/** The step after the loss. Some of the backward pass may stand before it: what needs the input and weights alone. */
function firstBackward(steps) {
  return steps.findLastIndex((s) => s.label.startsWith('loss/')) + 1;
}

function mib(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function round(n) {
  return Math.round(n * 10) / 10;
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
