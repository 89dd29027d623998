import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CancelledError, UserError } from '../../../shared/errors.ts';
import { Learner } from '../../../shared/learning/learner.ts';
import { ShardError, writeShards } from '../../../shared/learning/shards.ts';
import type { TrainCheckpoint, TrainTask } from '../../../shared/learning/task.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { bands, frames, plantedSet, taskOn } from './planted.ts';

const options = { preference: 'wasm', cacheDir: '' } as const;
// Networks train on the slowest back end here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 300_000 });

let folder: string;
let task: (changes?: Partial<TrainTask>) => TrainTask;
let clips: Awaited<ReturnType<typeof plantedSet>>['spectrograms'];
let learner: Learner;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'learner-')), 'shards');
  const set = await plantedSet(16);
  clips = set.spectrograms;
  await writeShards(folder, { bands, frames, key: 'planted' }, set.spectrograms);
  task = (changes) => taskOn(set, { shardsFolder: folder, ...changes });
  learner = new Learner(options, process.env);
});
afterAll(async () => {
  await learner.close();
  await rm(join(folder, '..'), { recursive: true, force: true });
});

/** Process ids of the learning processes whose parent is `parent`. */
function childrenOf(parent: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => Number(words[1]) === parent && words.some((word) => word.includes('learner-process')))
    .map(([pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('Learner', () => {
  it('says what runs', async () => {
    expect(await learner.describe()).toMatchObject({
      backend: 'wasm',
      note: expect.any(String),
      version: expect.any(String),
    });
  });

  it('trains and judges in a process of its own, while this one goes on', async () => {
    let beats = 0;
    const timer = setInterval(() => beats++, 10);
    const began = performance.now();
    const result = await learner.train(task({ model: 'crnn', crossValidationFolds: 2 }));
    clearInterval(timer);
    expect(beats).toBeGreaterThan((performance.now() - began) / 10 / 4);
    const holdout = clips.filter((_, i) => task().records[i]!.split === 'holdout');
    const scores = await learner.score(
      { name: 'crnn', topology: result.topology, weights: result.weights },
      holdout,
    );
    expect(scores.sort((a, b) => a - b)).toEqual(result.holdoutScores);
  });

  it('brings errors over the border as what they are', async () => {
    await expect(learner.train(task({ model: 'oracle' }))).rejects.toThrow(UserError);
    await expect(learner.train(task({ shardsFolder: join(folder, 'nowhere') }))).rejects.toThrow(ShardError);
    const kept = { members: [], calibration: { slope: 1 } };
    const broken = learner.score({ name: 'logistic', topology: kept, weights: new Uint8Array(3) }, []);
    await expect(broken).rejects.toThrow('not the weights of a model');
    const old = learner.score(
      { name: 'logistic', topology: { strength: 0.1 }, weights: new Uint8Array(3) },
      [],
    );
    await expect(old).rejects.toThrow('train it again');
  });

  it('fails a training whose checkpoint cannot be kept', async () => {
    const onCheckpoint = async (): Promise<void> => {
      throw new Error('the database went away');
    };
    await expect(learner.train(task({ model: 'crnn' }), { onCheckpoint })).rejects.toThrow(
      'the database went away',
    );
  });

  it('cancels a training and stays ready for the next', async () => {
    const abort = new AbortController();
    let cancelledAt = 0;
    const training = learner.train(task({ model: 'crnn', crossValidationFolds: 5 }), {
      signal: abort.signal,
      onProgress: () => {
        cancelledAt ||= performance.now();
        abort.abort();
      },
    });
    await expect(training).rejects.toThrow(CancelledError);
    expect(performance.now() - cancelledAt).toBeLessThan(5_000);
    const next = await learner.train(task({ model: 'dummy' }));
    expect(next.metrics.holdout.rocAuc).toBe(0.5);
    await expect(learner.train(task(), { signal: abort.signal })).rejects.toThrow(CancelledError);
  });

  it('goes on from its last epoch after its process was killed, to the same result', async () => {
    const changes = { model: 'crnn', crossValidationFolds: 2 };
    let epochsOfAll = 0;
    const whole = await learner.train(task(changes), {
      onProgress: () => {
        epochsOfAll++;
      },
    });
    let checkpoint: TrainCheckpoint | null = null;
    let kept = 0;
    const killed = learner.train(task(changes), {
      onCheckpoint: (latest) => {
        checkpoint = latest;
        if (++kept === 16) for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL');
      },
    });
    await expect(killed).rejects.toThrow(/learning process ended unexpectedly \(signal SIGKILL/);
    expect(checkpoint).not.toBeNull();
    let epochs = 0;
    const resumed = await learner.train(task({ ...changes, checkpoint }), {
      onProgress: () => {
        epochs++;
      },
    });
    expect(epochs).toBeLessThan(epochsOfAll - 10);
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.holdoutScores).toEqual(whole.holdoutScores);
    expect(resumed.metrics.crossValidation).toEqual(whole.metrics.crossValidation);
  });

  it('ends its process on close, also amid a training', async () => {
    const other = new Learner(options, process.env);
    const before = new Set(childrenOf(process.pid));
    const training = other.train(task({ model: 'crnn', crossValidationFolds: 5 }), {
      onProgress: () => void other.close(),
    });
    await expect(training).rejects.toThrow(CancelledError);
    await other.close();
    expect(childrenOf(process.pid).filter((pid) => !before.has(pid))).toEqual([]);
    await expect(other.describe()).rejects.toThrow(CancelledError);
  });
});

describe('the learning process', () => {
  const program = (rest: string): string => `
    import { Learner } from ${JSON.stringify(entryPoint('shared/learning/learner.ts'))};
    const learner = new Learner(${JSON.stringify(options)}, process.env);
    ${rest}`;
  const start = (text: string) =>
    spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });

  it('dies with a parent that was killed amid a training', async () => {
    const text = program(`
      const task = ${JSON.stringify({ ...task({ model: 'crnn', crossValidationFolds: 5 }) })};
      await learner.train(task, { onProgress: () => process.stdout.write('training') });`);
    const parent = start(text);
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const children = childrenOf(parent.pid!);
    expect(children).toHaveLength(1);
    parent.kill('SIGKILL');
    await until(() => !isAlive(children[0]!), 10_000);
  });

  it('does not keep its parent after close, and prints nothing on its output', async () => {
    const parent = start(program(`await learner.describe(); await learner.close();`));
    let output = '';
    parent.stdout.on('data', (chunk) => (output += chunk));
    const code = await new Promise((resolve) => parent.once('exit', resolve));
    expect(code).toBe(0);
    expect(output).toBe('');
  });
});
