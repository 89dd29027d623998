/** A batch of songs: how far each is, and the ranking with what is known of its uncertainty. */
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import type { BatchView } from '../../../api/songs/schemas.ts';
import { apiUrl, send, useApi } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { Meter } from '../../components/meter.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, counted } from '../../format.ts';
import { restColumns, scoredColumns } from './batch-columns.tsx';
import { DotsExplained } from './dots.tsx';
import { DropZone } from './drop-zone.tsx';
import { JudgeAgain } from './judge-again.tsx';
import { ReliabilityPanel } from './reliability.tsx';
import { BatchState } from './steps.tsx';
import { UploadList } from './upload-list.tsx';

export default function Batch() {
  const { batch: id } = useParams();
  const batch = useApi<BatchView>(`/batches/${id}`);
  const [adding, setAdding] = useState(false);
  const takesSongs = batch.data?.state !== 'cancelled';
  const title = batch.data?.name ?? `Songs of ${id}`;
  return (
    <Page
      title={title}
      lead={batch.data && `Judged by ${batch.data.model} (${batch.data.modelName})`}
      actions={
        batch.data && (
          <>
            <BatchState {...batch.data} />
            <a className="button" href={apiUrl(`/batches/${id}/ranking.csv`)} download>
              Download CSV
            </a>
            {takesSongs && (
              <button type="button" onClick={() => setAdding(!adding)} aria-expanded={adding}>
                Add songs
              </button>
            )}
            <JudgeAgain batch={batch.data} />
            <BatchActions batch={batch.data} />
          </>
        )
      }
    >
      {adding && takesSongs && id && (
        <Panel title="Add songs">
          <DropZone batch={id} />
        </Panel>
      )}
      {id && <UploadList batch={id} />}
      <Loaded query={batch}>{(view) => <Ranking batch={view} />}</Loaded>
    </Page>
  );
}

function BatchActions({ batch }: { batch: BatchView }) {
  const navigate = useNavigate();
  const [once, renew] = useOnce();
  return (
    <>
      {batch.state === 'cancelled' && (
        <Action
          label="Resume"
          run={() => send('POST', `/batches/${batch.id}/resume`, undefined, once)}
          refreshes={['/batches', '/songs']}
          onDone={renew}
        />
      )}
      {batch.state === 'running' && (
        <Action
          label="Cancel"
          confirm={{
            title: 'Cancel this batch?',
            text: 'Songs that wait are not judged, until it is resumed. Those that are judged stay.',
            yes: 'Cancel it',
          }}
          run={() => send('POST', `/batches/${batch.id}/cancel`)}
          refreshes={['/batches']}
        />
      )}
      <Action
        label="Delete"
        kind="danger"
        confirm={{
          title: `Delete ${counted(batch.counts.total, 'song')}?`,
          text: 'The songs, their audio, their scores and explanations are gone for good.',
          yes: 'Delete them',
        }}
        run={() => send('DELETE', `/batches/${batch.id}`)}
        refreshes={['/batches']}
        onDone={() => void navigate('/songs')}
      />
    </>
  );
}

function Ranking({ batch }: { batch: BatchView }) {
  const { songs, counts, reliability, state } = batch;
  if (songs.length === 0) {
    return state === 'cancelled' ? (
      <Empty title="No song is in this batch">It is cancelled: resume it, or begin another one.</Empty>
    ) : (
      <Empty title="No song is in this batch yet">
        <p>Drop some in:</p>
        <DropZone batch={batch.id} />
      </Empty>
    );
  }
  const scored = songs.filter(({ score }) => score !== null);
  const rest = songs.filter(({ score }) => score === null);
  return (
    <>
      {state === 'running' && (
        <Panel title="Under way">
          <p>
            <Meter done={counts.scored} total={counts.total} noun="songs" /> judged
          </p>
          <p>
            <small>
              {counted(counts.waiting, 'waits', 'wait')},{' '}
              {counted(counts.decoding, 'is decoded', 'are decoded')},{' '}
              {counted(counts.judging, 'is judged', 'are judged')} now, {count(counts.failed)} failed. Ranks
              move until all are through.
            </small>
          </p>
        </Panel>
      )}
      {scored.length > 0 && (
        <Panel title={`Ranking of ${counted(scored.length, 'song')}`}>
          <p>{reliability.compared}</p>
          <DotsExplained {...reliability} />
          <p>
            <small>
              How sure above the next: of two held-out songs that far apart, just one of which became popular,
              how often it was the higher one. Songs share ranks where that may be less than 3 of 4
              {!reliability.betterThanChance && '; here all do, as the model may be no better than chance'}.
            </small>
          </p>
          <DataTable
            caption="Ranked songs"
            rows={scored}
            rowId={({ id }) => id}
            columns={scoredColumns(batch)}
            choosable
          />
        </Panel>
      )}
      {rest.length > 0 && (
        <Panel title={`Not judged: ${count(rest.length)}`}>
          <DataTable
            caption="Songs without a score"
            prefix="rest."
            rows={rest}
            rowId={({ id }) => id}
            columns={restColumns()}
          />
        </Panel>
      )}
      <ReliabilityPanel reliability={reliability} />
    </>
  );
}
