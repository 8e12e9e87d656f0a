// The two pictures of the page, on canvases.

/** Places along each side of the plane at which the net is asked. */
const side = 96;
/** The plane reaches from −reach to reach. */
const reach = 1.15;

/** Of classes, in order: Okabe and Ito (2008), which people with any colour vision tell apart. */
const colours: readonly (readonly [number, number, number])[] = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [181, 88, 154],
  [181, 137, 0],
];

/** The places at which the net is asked: [side · side, 2], line by line from the top. */
export function placesOfPlane(): Float32Array {
  return Float32Array.from({ length: side * side * 2 }, (_, i) => {
    const at = i >> 1;
    return i % 2 === 0
      ? ((2 * ((at % side) + 0.5)) / side - 1) * reach
      : (1 - (2 * (Math.floor(at / side) + 0.5)) / side) * reach;
  });
}

/** The plane in the colours of the classes, each as strong as its probability, and the points upon it. */
export function drawPlane(
  canvas: HTMLCanvasElement,
  probabilities: ArrayLike<number>,
  classes: number,
  points: { readonly x: Float32Array; readonly y: Int32Array },
): void {
  const { context, width } = prepare(canvas);
  const picture = new ImageData(side, side);
  for (let at = 0; at < side * side; at++) {
    const mixed = [0, 0, 0];
    let surest = 0;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[at * classes + c]!;
      surest = Math.max(surest, p);
      for (let i = 0; i < 3; i++) mixed[i]! += p * colours[c]![i]!;
    }
    const strength = (surest - 1 / classes) / (1 - 1 / classes);
    picture.data.set([...mixed, 40 + 140 * strength], 4 * at);
  }
  const small = new OffscreenCanvas(side, side);
  small.getContext('2d')!.putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, width, width);
  context.lineWidth = width / 400;
  context.strokeStyle = '#ffffff';
  points.y.forEach((c, k) => {
    const [r, g, b] = colours[c]!;
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.beginPath();
    const x = (points.x[2 * k]! / reach + 1) / 2;
    const y = (1 - points.x[2 * k + 1]! / reach) / 2;
    context.arc(x * width, y * width, width / 110, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

/** The losses so far, one column of the canvas for as many steps as there have to be: their mean, and where they lie. */
export function drawCurve(canvas: HTMLCanvasElement, losses: readonly number[]): void {
  const { context, width } = prepare(canvas);
  const style = getComputedStyle(canvas);
  context.font = `${width / 32}px system-ui, sans-serif`;
  context.lineWidth = width / 500;
  const [top, bottom] = [Math.log10(3), Math.log10(0.003)];
  const yOf = (loss: number): number => ((top - Math.log10(Math.max(loss, 1e-6))) / (top - bottom)) * width;
  for (const mark of [1, 0.1, 0.01]) {
    context.strokeStyle = style.borderTopColor;
    context.fillStyle = style.color;
    context.beginPath();
    context.moveTo(0, yOf(mark));
    context.lineTo(width, yOf(mark));
    context.stroke();
    context.fillText(String(mark), width / 100, yOf(mark) - width / 120);
  }
  if (losses.length < 2) return;
  const columns = Math.min(losses.length, 300);
  context.strokeStyle = `rgb(${colours[1]!.join(' ')})`;
  context.lineWidth = width / 250;
  context.beginPath();
  for (let i = 0; i < columns; i++) {
    const from = Math.floor((i * losses.length) / columns);
    const to = Math.max(from + 1, Math.floor(((i + 1) * losses.length) / columns));
    let sum = 0;
    for (let k = from; k < to; k++) sum += losses[k]!;
    context.lineTo((i / (columns - 1)) * width, yOf(sum / (to - from)));
  }
  context.stroke();
}

/** An empty canvas with a dot for each dot of the screen. */
function prepare(canvas: HTMLCanvasElement): { context: CanvasRenderingContext2D; width: number } {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  if (canvas.width !== width) {
    canvas.width = width;
    canvas.height = width;
  }
  const context = canvas.getContext('2d')!;
  context.clearRect(0, 0, width, width);
  return { context, width };
}
