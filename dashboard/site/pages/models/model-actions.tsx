import type { ModelRow } from '../../../api/models/schemas.ts';
import { WithReason } from './promotion.tsx';
import { CancelTraining, ResumeTraining } from './training-actions.tsx';

/** What an operator may do with a model as it stands: stop its training, go on with it, or make it champion. */
export function ModelActions(props: {
  model: Pick<ModelRow, 'id' | 'name' | 'state' | 'champion' | 'nullTest'>;
  kind?: 'plain' | 'danger';
}) {
  const { model, kind = 'plain' } = props;
  const { id, name, state, champion, nullTest } = model;
  if (state === 'queued' || state === 'training') return <CancelTraining id={id} kind={kind} />;
  if (state === 'cancelled') return <ResumeTraining id={id} />;
  if (state !== 'ready' || champion || nullTest || name === 'dummy') return null;
  return (
    <WithReason
      label="Promote"
      path={`/models/${id}/promote`}
      title={`Make ${id} (${name}) the champion?`}
      yes="Promote it"
    />
  );
}
