/** What a batch's tables tell of each song. A cell is one element: on a phone it stands beside its heading. */
import { Link } from 'react-router';
import { aboutIn } from '../../../../shared/scoring/calibrated.ts';
import type { BatchView, SongItem } from '../../../api/songs/schemas.ts';
import { send } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import type { Column } from '../../components/table.tsx';
import { count, counted, percentileText } from '../../format.ts';
import { Dots } from './dots.tsx';
import { Step } from './steps.tsx';

export function scoredColumns({ reliability }: BatchView): Column<SongItem>[] {
  return [
    {
      id: 'rank',
      header: 'Rank',
      sortBy: ({ score }) => score!.rank.from,
      cell: ({ score }) => {
        const { from, to, of } = score!.rank;
        return (
          <div>
            {from === to ? from : `${from}–${to}`} <small>of {count(of)}</small>
          </div>
        );
      },
    },
    {
      id: 'song',
      header: 'Song',
      prose: true,
      sortBy: ({ file }) => file,
      cell: ({ id, file, warnings, score }) => (
        <div>
          <Link to={`/songs/${id}`}>{file}</Link>
          <br />
          {score!.verdict.sentence}
          {warnings.map((warning) => (
            <small key={warning}>
              <br />▲ {warning}
            </small>
          ))}
        </div>
      ),
    },
    {
      id: 'dots',
      header: 'Became popular, of songs scored like it',
      sortBy: ({ score }) => score!.probability,
      cell: ({ score }) =>
        score!.dots ? (
          <div>
            <Dots dots={score!.dots} baseRate={reliability.baseRate} />
            <br />
            <small>{aboutIn(score!.alike!.popular, score!.alike!.groups)}</small>
          </div>
        ) : (
          <small>{score!.beyond ? 'none scored like it' : 'too few to say'}</small>
        ),
    },
    {
      id: 'percentile',
      header: 'Percentile',
      numeric: true,
      sortBy: ({ score }) => score!.percentile,
      cell: ({ score }) => (
        <div>
          {percentileText(score!.percentile)}
          <br />
          <small>n = {counted(reliability.holdoutN, 'holdout song')}</small>
        </div>
      ),
    },
    {
      id: 'above',
      header: 'How sure above the next',
      cell: ({ score }) =>
        score!.aboveNext ? (
          <div>
            right in {Math.round(100 * score!.aboveNext.share)} of 100
            <br />
            <small>
              n = {counted(score!.aboveNext.songs, 'song')} by {counted(score!.aboveNext.groups, 'artist')}
            </small>
          </div>
        ) : (
          ''
        ),
    },
    {
      id: 'why',
      header: 'Why',
      cell: ({ id, file, explained }) =>
        explained ? <Link to={`/songs/${id}`}>explained</Link> : <ExplainButton {...{ id, file }} />,
    },
  ];
}

function ExplainButton({ id, file }: Pick<SongItem, 'id' | 'file'>) {
  const [once, again] = useOnce();
  return (
    <Action
      label="Explain"
      name={`Explain ${file}`}
      run={() => send<{ said: string }>('POST', `/songs/${id}/explain`, undefined, once)}
      onDone={again}
      refreshes={['/songs']}
    />
  );
}

export function restColumns(): Column<SongItem>[] {
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
      cell: ({ step }) => <Step {...{ step }} />,
    },
    { id: 'reason', header: 'Why', prose: true, cell: ({ reason }) => reason },
    {
      id: 'change',
      header: 'Change',
      cell: ({ id, file, step, uploaded }) => (
        <span className="actions">
          {step === 'failed' && uploaded && (
            <Action
              label="Try again"
              name={`Try ${file} again`}
              run={() => send('POST', `/songs/${id}/retry`)}
              refreshes={['/batches', '/songs']}
            />
          )}
          <Action
            label="Delete"
            name={`Delete ${file}`}
            confirm={{
              title: `Delete ${file}?`,
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
