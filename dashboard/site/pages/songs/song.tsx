/** One song: what the model heard, why it judged as it did, what it is like, and how its versions moved. */
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { ExplanationContent } from '../../../../shared/learning/explain/content.ts';
import type { SongView } from '../../../api/songs/schemas.ts';
import { apiUrl, send, useApi } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { TextField } from '../../components/field.tsx';
import { Fact, Facts, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, counted, moment, percent } from '../../format.ts';
import { Dots } from './dots.tsx';
import { Heard } from './heard.tsx';
import { ReliabilityPanel } from './reliability.tsx';

export default function Song() {
  const { song: id } = useParams();
  const song = useApi<SongView>(`/songs/${id}`);
  const navigate = useNavigate();
  return (
    <Page
      title={song.data?.file ?? `Song ${id}`}
      lead={
        song.data && (
          <>
            of <Link to={`/songs/batch/${song.data.batch}`}>{song.data.batch}</Link>
          </>
        )
      }
      actions={
        song.data && (
          <Action
            label="Delete"
            kind="danger"
            confirm={{
              title: 'Delete this song?',
              text: 'Its audio, score and explanation are gone for good.',
              yes: 'Delete it',
            }}
            run={() => send('DELETE', `/songs/${id}`)}
            refreshes={['/batches']}
            onDone={() => void navigate(`/songs/batch/${song.data.batch}`)}
          />
        )
      }
    >
      <Loaded query={song}>{(view) => <Everything song={view} />}</Loaded>
    </Page>
  );
}

function Everything({ song }: { song: SongView }) {
  const explanation = song.explanation as unknown as ExplanationContent | null;
  return (
    <>
      {song.reason && <Notice kind="warn">Not judged: {song.reason}</Notice>}
      {song.score && <Verdict song={song} />}
      {song.spectrogram && (
        <Panel title="What the model heard, and what its answer hangs on">
          <Heard song={song} facts={song.spectrogram} explanation={explanation} />
        </Panel>
      )}
      {explanation && <WhatItIsLike explanation={explanation} />}
      {song.score && !explanation && (
        <Panel title="Why">
          <p>This song is not explained yet.</p>
          {song.unexplained && <Notice kind="warn">When it was last tried: {song.unexplained}</Notice>}
          <Action
            label="Explain it"
            run={() => send('POST', `/songs/${song.id}/explain`)}
            refreshes={['/songs']}
          />{' '}
          <small>Some seconds to a minute; the page shows it when it is there.</small>
        </Panel>
      )}
      <Versions song={song} />
      <ReliabilityPanel reliability={song.reliability} />
    </>
  );
}

function Verdict({ song }: { song: SongView }) {
  const { score, reliability } = song;
  const { rank, percentile, share, dots, alike, verdict, unfamiliarity, comparedBy } = score!;
  return (
    <Panel title="In words">
      <p className="verdict">{verdict.sentence}</p>
      <Facts>
        <Fact name="Rank in its batch">{rank.from === rank.to ? rank.from : `${rank.from}–${rank.to}`}</Fact>
        <Fact name="Sounds like songs that became popular">
          {share?.words ?? 'the model is not calibrated enough to say'}
        </Fact>
        <Fact name="Percentile">
          {percentile} % <small>of the {count(reliability.holdoutN)} holdout songs score lower</small>
        </Fact>
        <Fact name="Songs scored like it">
          {alike
            ? `${count(alike.popular)} of ${count(alike.songs)} became popular (usual: ${percent(reliability.baseRate)})`
            : 'too few to say'}
        </Fact>
        <Fact name="How usual it is">
          {unfamiliarity === null
            ? 'not known'
            : `${Math.round(100 - unfamiliarity)} % of the data set's tracks are farther from anything else in it than this song is${comparedBy ? ` (by ${comparedBy})` : ''}`}
        </Fact>
      </Facts>
      {dots && <Dots dots={dots} baseRate={reliability.baseRate} />}
    </Panel>
  );
}

function WhatItIsLike({ explanation }: { explanation: ExplanationContent }) {
  const { tags, neighbours } = explanation;
  return (
    <div className="grid">
      <Panel title="Nearest tracks">
        <p>
          <small>
            By {neighbours.by}, among {counted(neighbours.compared, 'track')}.
          </small>
        </p>
        {(['popular', 'unpopular'] as const).map((side) => (
          <div key={side}>
            <h3>{side === 'popular' ? 'Popular ones' : 'Others'}</h3>
            <ul className="plain">
              {neighbours[side].map(({ track, title, artists, popularity }) => (
                <li key={track}>
                  <Link to={`/tracks/${track}`}>{title || track}</Link> {artists.join(', ')}{' '}
                  <small>popularity {Math.round(popularity)}</small>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </Panel>
      {tags && (
        <Panel title="What the music tagger hears differently">
          <p>
            <small>
              Against popular tracks of the data set; more or less of it, in the tagger's own measure.
            </small>
          </p>
          <ul className="plain">
            {tags.map(({ tag, difference }) => (
              <li key={tag}>
                <span aria-hidden="true">{difference > 0 ? '▲' : '▼'}</span>{' '}
                {difference > 0 ? 'more' : 'less'} {tag}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}

function Versions({ song }: { song: SongView }) {
  const [title, setTitle] = useState(song.title ?? '');
  return (
    <Panel title="Versions of this song">
      <p>
        Songs of the same title are versions of one song: drop a new mix in, in any batch, and see whether it
        moved.
      </p>
      <div className="filters">
        <TextField label="Title that versions share" value={title} onChange={setTitle} />
        <Action
          label="Change the title"
          disabled={title.trim() === '' || title === song.title}
          run={() => send('PATCH', `/songs/${song.id}`, { title: title.trim() })}
          refreshes={['/songs']}
        />
      </div>
      {song.versions.length > 0 && (
        <DataTable
          caption="Versions"
          prefix="versions."
          rows={song.versions}
          rowId={({ id }) => id}
          columns={[
            {
              id: 'file',
              header: 'File',
              prose: true,
              cell: ({ id, file }) =>
                id === song.id ? `${file} (this one)` : <Link to={`/songs/${id}`}>{file}</Link>,
            },
            {
              id: 'when',
              header: 'When',
              sortBy: (row) => row.createdAt,
              cell: (row) => moment(row.createdAt),
            },
            { id: 'model', header: 'Judge', cell: ({ model }) => model },
            { id: 'state', header: 'State', cell: ({ step }) => <Status state={step} /> },
            {
              id: 'percentile',
              header: 'Percentile',
              numeric: true,
              cell: ({ percentile }) => percentile ?? '',
            },
            {
              id: 'move',
              header: 'Against the version before',
              prose: true,
              cell: ({ move }) => move?.words ?? '',
            },
          ]}
        />
      )}
      <p>
        <small>
          <a href={apiUrl(`/batches/${song.batch}/ranking.csv`)} download>
            The ranking of its batch as CSV
          </a>
        </small>
      </p>
    </Panel>
  );
}
