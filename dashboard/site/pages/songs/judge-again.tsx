/** Songs that another model judged than today's champion can be judged again: only then can they be compared. */
import { useNavigate } from 'react-router';
import type { BatchItem, BatchView } from '../../../api/songs/schemas.ts';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';

export function JudgeAgain({ batch }: { batch: BatchView }) {
  const navigate = useNavigate();
  const [once, renew] = useOnce();
  const { judgeAgain, state, counts, model } = batch;
  if (judgeAgain === null || state === 'running' || counts.scored === 0) return null;
  return (
    <Action
      label="Judge again"
      confirm={{
        title: `Judge these songs by ${judgeAgain}?`,
        text: `They were judged by ${model}; ${judgeAgain} is champion now. The songs are not uploaded again: a second batch shows the new judgement, and this one stays.`,
        yes: 'Judge them again',
      }}
      run={() => send<BatchItem>('POST', `/batches/${batch.id}/judge-again`, undefined, once)}
      refreshes={['/batches', '/songs']}
      onDone={({ id }) => {
        renew();
        void navigate(`/songs/batch/${id}`);
      }}
    />
  );
}
