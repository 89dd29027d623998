/** The learner's child process: TensorFlow lives and blocks here. Started by Learner, never imported. */
import { setImmediate } from 'node:timers/promises';
import workerpool from 'workerpool';
import { PermanentError, UserError } from '../errors.ts';
import { type LoadedTensorFlow, type LoadOptions, loadTensorFlow } from '../tensorflow/index.ts';
import { familyOf } from './families.ts';
import { learn } from './learn.ts';
import type { LearnerAnswer, LearnerEvent } from './learner.ts';
import { openShards } from './shards.ts';
import type { Spectrogram } from './spectrograms.ts';
import type { LearningResult, LearningTask, RegisteredModel } from './task.ts';

// Ctrl-C in a terminal goes to every process of the group. The parent decides when its children end.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));

let loaded: Promise<LoadedTensorFlow> | undefined;

/** Loaded when a model first needs it, and kept: the preference is the process's, not the task's. */
function tensorflow(options: LoadOptions): Promise<LoadedTensorFlow> {
  loaded ??= loadTensorFlow(options);
  return loaded;
}

function emit(event: LearnerEvent): void {
  workerpool.workerEmit(event);
}

async function train(task: LearningTask): Promise<LearnerAnswer<LearningResult>> {
  return answer(async () => {
    const source = await openShards(task.shardsFolder);
    try {
      return await learn(task, {
        source,
        tensorflow: () => tensorflow({ preference: task.backendPreference, cacheDir: task.cacheDir }),
        // The event loop must turn for messages and for the parent's end to be noticed.
        turn: () => setImmediate(),
        onProgress: (progress) => emit({ kind: 'progress', progress }),
        onCheckpoint: (checkpoint) => emit({ kind: 'checkpoint', checkpoint }),
      });
    } finally {
      await source.close();
    }
  });
}

async function score(
  model: RegisteredModel,
  spectrograms: Spectrogram[],
  options: LoadOptions,
): Promise<LearnerAnswer<number[]>> {
  return answer(async () => {
    const family = familyOf(model.name);
    if (!family) throw new PermanentError(`this version of the program has no model ${model.name}`);
    const predictor = await family.load(model, () => tensorflow(options));
    try {
      return await predictor.predict(spectrograms);
    } finally {
      predictor.dispose();
    }
  });
}

/** Errors lose their class on the way between processes: those that are for people travel as a reason. */
async function answer<T>(work: () => Promise<T>): Promise<LearnerAnswer<T>> {
  try {
    return { kind: 'done', result: await work() };
  } catch (error) {
    if (error instanceof PermanentError || error instanceof UserError) {
      return { kind: 'permanent', reason: error.message };
    }
    throw error;
  }
}

workerpool.worker({ train, score });
