import { reasonFor } from './breakdown.ts';
import {
  brierScore,
  expectedCalibrationError,
  logLoss,
  type ReliabilityBin,
  reliability,
} from './calibration.ts';
import type { Interval, Judged } from './judged.ts';
import { rocAucOf } from './ranking.ts';
import { type RocPoint, rocCurve } from './roc-curve.ts';
import { delongInterval, rocAucInterval } from './roc-interval.ts';
import { accuracyAt, evenThreshold } from './threshold.ts';
import { type TopPrecision, topPrecision } from './top.ts';

/** How good a set of probabilities is. */
export interface Metrics {
  readonly n: number;
  /** Fraction of right decisions at `decisionThreshold`; null when n is 0. */
  readonly accuracy: number | null;
  /** Chance that a popular track has the higher score, ties half; null when a class is missing. */
  readonly rocAuc: number | null;
  /** 95 % interval of the ROC-AUC by grouped bootstrap; null where it cannot be estimated. */
  readonly rocAucCi95: Interval | null;
  /** The same by DeLong's variance, which takes all tracks to be independent. */
  readonly delongCi95: Interval | null;
  /** Mean of -ln of the probability given to what was true, in nats. */
  readonly logLoss: number | null;
  /** Mean squared difference of probability and truth. */
  readonly brier: number | null;
  /** Expected calibration error over ten bins of equally many tracks. */
  readonly ece: number | null;
  /** What a perfectly calibrated model would have of it, for want of tracks. */
  readonly eceByChance: number | null;
  readonly reliability: readonly ReliabilityBin[];
  /** The tenth of the tracks that has the highest probabilities. */
  readonly top10: TopPrecision | null;
  /** The fifth of them. */
  readonly top20: TopPrecision | null;
  /** At most 200 points; null when a class is missing. */
  readonly rocCurve: readonly RocPoint[] | null;
  /** Popular is decided from this probability on. */
  readonly decisionThreshold: number;
  /** Why a figure is null, when one is. */
  readonly reason: string | null;
}

const reliabilityBins = 10;
const curvePoints = 200;

/**
 * Evaluate probabilities against the truth.
 *
 * @param seed of the bootstrap.
 * @param decisionThreshold popular is decided from this probability on; fitted elsewhere than on these tracks.
 */
export function evaluate(
  judged: readonly Judged[],
  seed: number,
  decisionThreshold: number = evenThreshold,
): Metrics {
  const some = judged.length > 0;
  const rocAuc = rocAucOf(judged);
  const rocAucCi95 = rocAucInterval(judged, seed);
  const calibration = expectedCalibrationError(judged, reliabilityBins);
  return {
    n: judged.length,
    accuracy: accuracyAt(judged, decisionThreshold),
    ...{ rocAuc, rocAucCi95 },
    delongCi95: delongInterval(judged),
    logLoss: some ? logLoss(judged) : null,
    brier: some ? brierScore(judged) : null,
    ece: calibration?.error ?? null,
    eceByChance: calibration?.byChance ?? null,
    reliability: reliability(judged, reliabilityBins),
    top10: topPrecision(judged, 0.1, seed),
    top20: topPrecision(judged, 0.2, seed),
    rocCurve: rocCurve(judged, curvePoints),
    decisionThreshold,
    reason: reasonFor(judged, rocAuc, rocAucCi95),
  };
}
