/** The registry: models with their evaluation, the champion, and how it is challenged. */
export { awaitsOwnDecision, finishTrainingRun } from './challenge.ts';
export {
  type Evidence,
  findChampion,
  findChampionId,
  lockChampion,
  newestPromotion,
  promote,
  rollbackTarget,
  standingPromotions,
} from './champion.ts';
export {
  type Basis,
  type Bootstrap,
  compareForPromotion,
  compareModels,
  isBeyondNoise,
  isComparison,
  type ModelComparison,
  type NoComparison,
} from './compare.ts';
export { type Contender, type Decision, decide, signed } from './decide.ts';
export {
  type Evaluation,
  isNullTest,
  type ModelMetrics,
  modelTitle,
  selectionFigure,
  unfitReason,
  withoutCurves,
} from './models.ts';
export {
  type HoldoutTrack,
  type StoredPrediction,
  storePredictions,
  unfamiliarHoldout,
} from './predictions.ts';
