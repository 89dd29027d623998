/*
 * The learning process: the child of a `Learner`. TensorFlow computes synchronously, so it has a
 * process of its own, whose event loop nobody else needs. It ends when its parent does.
 */
import { createHash } from 'node:crypto';
import workerpool from 'workerpool';
import { CancelledError } from '../errors.ts';
import { type LoadedTagger, loadTagger } from '../tagger/load.ts';
import { type LoadedTensorFlow, loadTensorFlow } from '../tensorflow/index.ts';
import { type ExplainRequest, explainSong, type SongExplanation } from './explain/explain-song.ts';
import { withoutLearning } from './explain/random-model.ts';
import { modelFamily } from './families.ts';
import type { Predictor } from './family.ts';
import type { Description, LearnerOptions, TrainEvent } from './learner-messages.ts';
import { openRecordings, type Recording } from './recording.ts';
import type { ScoringModel, TrainResult, TrainTask } from './task.ts';
import { runTrainTask } from './train-task.ts';

/** How often events are let through: a message to cancel, the parent's end. */
const turnEveryMs = 20;
/** How long a cancelled task may take to come to its next turn, before the process is ended. */
const cancelGraceMs = 5_000;

/** The `this` of methods that workerpool calls. */
interface Called {
  readonly worker: { addAbortListener(listener: () => Promise<void>): void };
}

let loading: Promise<LoadedTensorFlow> | undefined;

function tensorflow({ preference, cacheDir }: LearnerOptions): Promise<LoadedTensorFlow> {
  loading ??= loadTensorFlow({ preference, cacheDir });
  return loading;
}

/** Run work that can be cancelled from the other side. */
async function cancellable<T>(called: Called, work: (turn: () => Promise<void>) => Promise<T>): Promise<T> {
  let cancelled = false;
  let last = performance.now();
  const turn = async (): Promise<void> => {
    if (performance.now() - last < turnEveryMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    last = performance.now();
    if (cancelled) throw new CancelledError('the training was cancelled');
  };
  const running = work(turn);
  const ended = running.then(
    () => {},
    () => {},
  );
  // workerpool forgets the listeners once it has called them.
  called.worker.addAbortListener(() => {
    cancelled = true;
    return ended;
  });
  return running;
}

async function describe(options: LearnerOptions): Promise<Description> {
  const { backend, version, note } = await tensorflow(options);
  return { backend, version, note };
}

async function train(this: Called, options: LearnerOptions, task: TrainTask): Promise<TrainResult> {
  const tell = (event: TrainEvent): void => workerpool.workerEmit(event);
  return cancellable(this, async (turn) => {
    const recordings = await openRecordings(task);
    try {
      return await runTrainTask(task, recordings, {
        tensorflow: () => tensorflow(options),
        turn,
        onProgress: (progress) => tell({ kind: 'progress', progress }),
        onCheckpoint: (checkpoint) => tell({ kind: 'checkpoint', checkpoint }),
      });
    } finally {
      await recordings.close();
    }
  });
}

/** The model used last: songs come one by one, and mostly to the same one. */
let ready: { key: string; predictor: Predictor } | undefined;

async function predictorOf(
  options: LearnerOptions,
  { name, topology, weights }: ScoringModel,
): Promise<Predictor> {
  const key = createHash('sha256')
    .update(`${name} ${JSON.stringify(topology)}`)
    .update(weights)
    .digest('hex');
  if (ready?.key !== key) {
    const predictor = await modelFamily(name).load({ topology, weights }, () => tensorflow(options));
    ready?.predictor.dispose();
    ready = { key, predictor };
  }
  return ready.predictor;
}

async function score(
  options: LearnerOptions,
  model: ScoringModel,
  recordings: readonly Recording[],
): Promise<number[]> {
  return (await predictorOf(options, model)).predict(recordings);
}

let tagger: LoadedTagger | undefined;

async function explain(
  this: Called,
  options: LearnerOptions,
  model: ScoringModel,
  request: ExplainRequest,
): Promise<SongExplanation> {
  return cancellable(this, async (turn) => {
    const predictor = await predictorOf(options, model);
    if (request.tagger) tagger ??= await loadTagger(options);
    const embedPatches = (patches: Float32Array) => tagger!.embedPatches(patches);
    const family = modelFamily(model.name);
    const { topology } = model;
    const randomised = (seed: number) =>
      family.load({ topology, weights: withoutLearning(model.weights, seed) }, () => tensorflow(options));
    return explainSong(request, family, { predictor, randomised }, embedPatches, turn);
  });
}

// Standard output belongs to the parent's reports; whatever a library prints goes to standard error.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
// Ctrl-C reaches the whole group: it is the parent that decides, and its end is this process's end.
process.on('SIGINT', () => {});
// What is sent to a parent that is gone fails here before its end is noticed.
process.on('error', () => process.exit(1));

workerpool.worker({ describe, train, score, explain }, { abortListenerTimeout: cancelGraceMs });
