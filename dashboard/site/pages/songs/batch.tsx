/** A batch of songs: how far each is, and the ranking with what is known of its uncertainty. */
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { BatchView, SongItem } from '../../../api/songs/schemas.ts';
import { apiUrl, send, useApi } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { Meter } from '../../components/meter.tsx';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable } from '../../components/table.tsx';
import { count, counted, percent } from '../../format.ts';
import { Dots } from './dots.tsx';
import { DropZone } from './drop-zone.tsx';
import { JudgeAgain } from './judge-again.tsx';
import { ReliabilityPanel } from './reliability.tsx';
import { UploadList } from './upload-list.tsx';

const stepWords = {
  waiting: 'uploaded, waits',
  decoding: 'decoding',
  judging: 'judging',
  scored: 'judged',
  failed: 'failed',
};
const stepStates = {
  waiting: 'waiting',
  decoding: 'fetched',
  judging: 'active',
  scored: 'scored',
  failed: 'failed',
};

export default function Batch() {
  const { batch: id } = useParams();
  const batch = useApi<BatchView>(`/batches/${id}`);
  const [adding, setAdding] = useState(false);
  const title = batch.data?.name ?? `Songs of ${id}`;
  return (
    <Page
      title={title}
      lead={batch.data && `Judged by ${batch.data.model} (${batch.data.modelName})`}
      actions={
        batch.data && (
          <>
            <a className="button" href={apiUrl(`/batches/${id}/ranking.csv`)} download>
              Download CSV
            </a>
            <button type="button" onClick={() => setAdding(!adding)} aria-expanded={adding}>
              Add songs
            </button>
            <JudgeAgain batch={batch.data} />
            <BatchActions batch={batch.data} />
          </>
        )
      }
    >
      {adding && id && (
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
  return (
    <>
      {batch.state === 'running' && (
        <Action
          label="Cancel"
          confirm={{
            title: 'Cancel this batch?',
            text: 'Songs that wait are not judged. Those that are judged stay.',
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
    return (
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
          <Meter done={counts.scored + counts.failed} total={counts.total} noun="songs judged" />
          <p>
            <small>
              {counts.waiting} wait, {counts.decoding} are decoded, {counts.judging} are judged now. Ranks
              move until all are through.
            </small>
          </p>
        </Panel>
      )}
      {scored.length > 0 && (
        <Panel title={`Ranking of ${counted(scored.length, 'song')}`}>
          <p>
            Each dot is one of 20 equally likely answers to: of songs scored like this one, how many became
            popular? The line is the usual share, {percent(reliability.baseRate)}. Songs share ranks where
            their order is not sure in at least 3 of 4 cases.
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

function scoredColumns({ reliability }: BatchView): Column<SongItem>[] {
  return [
    {
      id: 'rank',
      header: 'Rank',
      sortBy: ({ score }) => score!.rank.from,
      cell: ({ score }) => {
        const { from, to } = score!.rank;
        return from === to ? from : `${from}–${to}`;
      },
    },
    {
      id: 'song',
      header: 'Song',
      prose: true,
      sortBy: ({ file }) => file,
      cell: ({ id, file, warnings, score }) => (
        <>
          <Link to={`/songs/${id}`}>{file}</Link>
          <br />
          {score!.verdict.sentence}
          {warnings.map((warning) => (
            <small key={warning}>
              <br />▲ {warning}
            </small>
          ))}
        </>
      ),
    },
    {
      id: 'dots',
      header: 'Became popular, of songs like it',
      sortBy: ({ score }) => score!.probability,
      cell: ({ score }) =>
        score!.dots ? (
          <>
            <Dots dots={score!.dots} baseRate={reliability.baseRate} />
            <br />
            {score!.share?.words ?? 'not to be told'}
          </>
        ) : (
          <small>too few to say</small>
        ),
    },
    {
      id: 'percentile',
      header: 'Percentile',
      numeric: true,
      sortBy: ({ score }) => score!.percentile,
      cell: ({ score }) => (
        <>
          {score!.percentile}
          <br />
          <small>of n = {count(reliability.holdoutN)}</small>
        </>
      ),
    },
    {
      id: 'above',
      header: 'Sure to be above the next',
      cell: ({ score }) =>
        score!.aboveNext ? (
          <>
            {Math.round(100 * score!.aboveNext.share)} of 100
            <br />
            <small>({count(score!.aboveNext.pairs)} pairs)</small>
          </>
        ) : (
          ''
        ),
    },
    {
      id: 'why',
      header: 'Why',
      cell: ({ id, explained }) =>
        explained ? <Link to={`/songs/${id}`}>explained</Link> : <ExplainButton id={id} />,
    },
  ];
}

function ExplainButton({ id }: { id: string }) {
  const [once, again] = useOnce();
  return (
    <Action
      label="Explain"
      name={`Explain ${id}`}
      run={() => send<{ said: string }>('POST', `/songs/${id}/explain`, undefined, once)}
      onDone={again}
      refreshes={['/songs']}
    />
  );
}

function restColumns(): Column<SongItem>[] {
  return [
    {
      id: 'song',
      header: 'Song',
      prose: true,
      cell: ({ id, file }) => <Link to={`/songs/${id}`}>{file}</Link>,
    },
    {
      id: 'step',
      header: 'State',
      cell: ({ step }) => <Status state={stepStates[step]} word={stepWords[step]} />,
    },
    { id: 'reason', header: 'Why', prose: true, cell: ({ reason }) => reason },
    {
      id: 'change',
      header: 'Change',
      cell: ({ id, step, uploaded }) => (
        <span className="actions">
          {step === 'failed' && uploaded && (
            <Action
              label="Try again"
              name={`Try ${id} again`}
              run={() => send('POST', `/songs/${id}/retry`)}
              refreshes={['/batches', '/songs']}
            />
          )}
          <Action
            label="Delete"
            name={`Delete ${id}`}
            confirm={{
              title: `Delete ${id}?`,
              text: 'The song and all that was made of it is gone for good.',
              yes: 'Delete it',
            }}
            run={() => send('DELETE', `/songs/${id}`)}
            refreshes={['/batches']}
          />
        </span>
      ),
    },
  ];
}
