/** Evaluation: how good probabilities are, how sure that is, and whether one model is better than another. */
export { type BreakdownRow, breakdown } from './breakdown.ts';
export {
  brierScore,
  type CalibrationError,
  expectedCalibrationError,
  logLoss,
  type ReliabilityBin,
  reliability,
  wilsonInterval,
} from './calibration.ts';
export { evaluate, type Metrics } from './evaluate.ts';
export type { Interval, Judged } from './judged.ts';
export { type PairedComparison, pairedBootstrap } from './paired.ts';
export { percentileOf } from './percentile.ts';
export { rocAuc, rocAucOf } from './ranking.ts';
export { type RocPoint, rocCurve } from './roc-curve.ts';
export { delongInterval, rocAucInterval } from './roc-interval.ts';
export { accuracyAt, evenThreshold, fitDecisionThreshold } from './threshold.ts';
export { type TopPrecision, topPrecision } from './top.ts';
