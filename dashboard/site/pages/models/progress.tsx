import type { ModelRow } from '../../../api/models/schemas.ts';
import { Meter } from '../../components/meter.tsx';

/** How far a training is. */
export function Progress({ progress }: { progress: NonNullable<ModelRow['progress']> }) {
  const { phase, fold, folds, epoch, epochs } = progress;
  return (
    <small>
      {' '}
      {phase}
      {fold !== null && `, fold ${fold} of ${folds}`}{' '}
      <Meter done={epoch} total={epochs} noun={epochs === 1 ? 'epoch at most' : 'epochs at most'} />
    </small>
  );
}
