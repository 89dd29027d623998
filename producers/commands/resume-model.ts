/** The command `resume` of a model. */
import { publicId } from '../../shared/identifiers.ts';
import { awaitsOwnDecision } from '../../shared/registry/index.ts';
import { exitStatus } from '../cli.ts';
import { print, printJson } from '../output.ts';
import { resumeTraining } from '../resume-training.ts';
import type { Session } from '../session.ts';
import { describeRun } from '../train.ts';
import { waitForTraining } from './train.ts';
import { describeAnswer } from './train-text.ts';

/** Go on with a training that was cancelled, and tell how its run stands. */
export async function resumeModel(
  session: Session,
  id: number,
  options: { wait?: boolean; json?: boolean },
): Promise<void> {
  const { prisma } = session.database;
  const said = await resumeTraining(session, id);
  const { trainingRunId } = await prisma.model.findUniqueOrThrow({ where: { id } });
  const own = (await session.workforce.missing(['train'])).length > 0;
  if (!options.wait && !own) {
    if (options.json) printJson({ model: publicId('model', id), said });
    else print(said);
    return;
  }
  if (!options.json) print(said);
  await waitForTraining(session, trainingRunId, () => hasEnded(session, id));
  const answer = await describeRun(session, trainingRunId);
  if (options.json) printJson({ model: publicId('model', id), said, ...answer });
  else print(describeAnswer(answer));
  const { state } = await prisma.model.findUniqueOrThrow({ where: { id } });
  if (state !== 'ready') process.exitCode = exitStatus.failed;
}

/** Whether a model has ended and nothing is left to be decided on it; its fellows may still train. */
async function hasEnded({ database: { prisma } }: Session, id: number): Promise<boolean> {
  const { trainingRun: run, ...model } = await prisma.model.findUniqueOrThrow({
    where: { id },
    include: { trainingRun: { include: { models: { select: { state: true } } } } },
  });
  if (model.state === 'queued' || model.state === 'training') return false;
  const others = run.models.some(({ state }) => state === 'queued' || state === 'training');
  return others || (run.finishedAt !== null && !awaitsOwnDecision(model, run));
}
