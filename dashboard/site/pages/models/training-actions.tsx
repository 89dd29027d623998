/** Stopping a training, and going on with it. */
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';

const refreshes = ['/models', '/training-runs'];

export function CancelTraining({ id, kind = 'plain' }: { id: string; kind?: 'plain' | 'danger' }) {
  return (
    <Action
      label="Cancel"
      name={`Cancel ${id}`}
      kind={kind}
      confirm={{
        title: `Cancel ${id}?`,
        text: 'Its training stops within a second. It can be resumed from its last epoch, if it is a network.',
        yes: 'Cancel it',
      }}
      run={() => send('POST', `/models/${id}/cancel`)}
      refreshes={refreshes}
    />
  );
}

export function ResumeTraining({ id }: { id: string }) {
  const [once, again] = useOnce();
  return (
    <Action
      label="Resume"
      name={`Resume ${id}`}
      run={() => send('POST', `/models/${id}/resume`, undefined, once)}
      onDone={again}
      refreshes={refreshes}
    />
  );
}
