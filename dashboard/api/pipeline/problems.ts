/** What is not as it should be, in words. Empty: all is well. */
import type { PipelineSnapshot, ProblemLine } from './schemas.ts';

export interface Facts
  extends Pick<PipelineSnapshot, 'stages' | 'workers' | 'paused' | 'crawl' | 'failures' | 'next'> {
  /** Who asked to be left alone, and until when. */
  outside: readonly { name: string; until: Date }[];
}

/** So many failures of a crawl, and such a part of its tracks, are worth a look. */
const manyFailures = 20;
const manyShare = 0.05;

export function problemsOf({
  stages,
  workers,
  paused,
  crawl,
  failures,
  next,
  outside,
}: Facts): ProblemLine[] {
  const problems: ProblemLine[] = [];
  const add = (severity: ProblemLine['severity'], text: string, link: string | null = null) =>
    problems.push({ severity, text, link });
  for (const { what, by } of paused) {
    add('warn', `${what} is paused${by ? ` by ${by}` : ''}: what waits there waits on`, null);
  }
  const idle = stages.filter(({ waiting, delayed, workers: alive, stage }) =>
    stage === 'schedule' ? alive === 0 && next.length > 0 : alive === 0 && waiting + delayed > 0,
  );
  if (workers.length === 0) {
    add('bad', 'no worker is alive: hiphop up starts them on this machine, hiphop work on others');
  }
  for (const { stage, waiting, delayed } of workers.length === 0 ? [] : idle) {
    const what = stage === 'schedule' ? 'no night will start' : `${waiting + delayed} jobs wait`;
    add('bad', `${what}: no worker alive runs the stage ${stage} (hiphop work --only ${stage})`);
  }
  for (const { name, until } of outside) {
    add('warn', `${nameOf(name)} asked to be left alone until ${until.toISOString().slice(11, 19)} UTC`);
  }
  if (crawl && crawl.failed >= manyFailures && crawl.failed > manyShare * crawl.funnel.tracks.found) {
    const { crawl: name, failed, failures: reasons, funnel } = crawl;
    const [most] = reasons;
    const often = most ? `; most often at ${most.stage}: ${most.reason}` : '';
    add(
      'warn',
      `${failed} failures of ${name}, of ${funnel.tracks.found} tracks${often}`,
      `/failures?crawl=${name}`,
    );
  } else if (failures.open > 0) {
    const { open } = failures;
    add('warn', `${open} ${open === 1 ? 'failure is' : 'failures are'} open`, '/failures');
  }
  return problems;
}

const nameOf = (service: string) => service.charAt(0).toUpperCase() + service.slice(1);
