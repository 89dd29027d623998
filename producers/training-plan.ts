/** What `hiphop train` does when it is not told: the best for the catalogue's size and the machine. */
import type { DataSet } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';
import { modelFamily } from '../shared/learning/families.ts';
import { needsTagger } from '../shared/learning/features/sets.ts';
import type { DataSetCounts } from '../shared/learning/freeze.ts';
import { taggerName } from '../shared/tagger/provision.ts';
import type { Backend } from '../shared/tensorflow/index.ts';
import type { Session } from './session.ts';

export interface TrainingPlan {
  readonly models: readonly string[];
  readonly crossValidationFolds: number | null;
  /** One line for each thing that was decided, for people. */
  readonly notes: readonly string[];
}

/** With more tracks a holdout says enough, and each fold would cost as much as the model. */
const crossValidatedAtMost = 3000;
const autoFolds = 5;
const groupsAFold = 2;
/** With fewer tracks a network only learns them by heart. */
const networkAtLeast = 100;
/** The music tagger must have heard most tracks before models judge by it. */
const describedAtLeast = 0.9;

export interface PlanFacts {
  readonly tracks: number;
  readonly groups: number;
  /** Tracks that the music tagger has heard. */
  readonly described: number;
  /** The back end that networks would train on; null where that is decided on another machine. */
  readonly backend: Backend | null;
}

/**
 * Plan a training.
 *
 * @param asked models by name, or null to choose; folds, null for none, or undefined to choose.
 */
export function planTraining(
  facts: PlanFacts,
  asked: { readonly models: readonly string[] | null; readonly folds: number | null | undefined },
): TrainingPlan {
  const notes: string[] = [];
  const heard = facts.described >= describedAtLeast * facts.tracks;
  const models = [...(asked.models ?? ['dummy', 'logistic', 'forest'])];
  if (asked.models === null) {
    if (heard) models.push('musicnn', 'stack');
    else {
      notes.push(
        `models musicnn and stack are left out: the music tagger has heard ${facts.described} of ${facts.tracks} tracks (hiphop embed lets it hear the others)`,
      );
    }
    if (facts.tracks < networkAtLeast) {
      notes.push(`the network crnn is left out: ${facts.tracks} tracks are too few for it`);
    } else if (facts.backend === 'wasm') {
      notes.push('the network crnn is left out: this machine has no native TensorFlow (hiphop doctor)');
    } else models.push('crnn');
  }
  const few = facts.groups < autoFolds * groupsAFold;
  const chosen = facts.tracks <= crossValidatedAtMost && !few ? autoFolds : null;
  const crossValidationFolds = asked.folds === undefined ? chosen : asked.folds;
  if (asked.folds === undefined) {
    notes.push(
      chosen
        ? `cross-validation in ${chosen} folds: with ${facts.tracks} tracks the holdout alone would say little`
        : few
          ? `no cross-validation: ${facts.groups} groups of one artist or recording are too few`
          : `no cross-validation: ${facts.tracks} tracks leave a holdout that is large enough`,
    );
  }
  return { models, crossValidationFolds, notes };
}

/** Count what a plan needs to know of a data set. */
export async function planFacts(
  session: Session,
  dataSet: DataSet,
  backend: Backend | null,
): Promise<PlanFacts> {
  const { tracks, groups } = dataSet.counts as unknown as DataSetCounts;
  const { rows } = await session.database.pool.query<{ described: number }>(
    `SELECT count(*)::int AS described FROM data_set_tracks d
       JOIN embeddings e ON e.content_hash = d.content_hash AND e.tagger = $2
      WHERE d.data_set_id = $1`,
    [dataSet.id, taggerName],
  );
  return { tracks, groups, described: rows[0]!.described, backend };
}

/** @throws UserError when a model judges by the music tagger, which has not heard most of the tracks. */
export function checkTagger(models: readonly string[], { described, tracks }: PlanFacts): void {
  const needs = models.filter((name) => needsTagger(modelFamily(name).features));
  if (needs.length === 0 || described >= tracks / 2) return;
  throw new UserError(
    `${needs.join(' and ')} judge${needs.length === 1 ? 's' : ''} by the music tagger, which has heard ${described} of ${tracks} tracks: run hiphop embed first (hiphop doctor says whether the tagger is set up)`,
  );
}
