// heddle/plot: figures of training, data and nets, as SVG and PNG, without a browser.

export { bars, type ConfusionOptions, confusionMatrix, type HistogramOptions, histograms } from './counts.ts';
export { type CurvesOptions, curves, runningMean } from './curves.ts';
export { columns, type DrawOptions, Figure, type FigureOptions, type PngOptions, rows } from './figure.ts';
export { type GraphEdge, type GraphNode, graph } from './graph.ts';
export { filters, type PictureData, type PredictionsOptions, predictions } from './pictures.ts';
export {
  decisionRegions,
  type PointsOptions,
  type RegionsOptions,
  type SurfaceOptions,
  scatter,
  surfaces,
} from './points.ts';
export type { ThemeName } from './themes.ts';
