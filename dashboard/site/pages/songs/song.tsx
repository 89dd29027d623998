/** One song: what the model heard, why it judged as it did, what it is like, and how its versions moved. */
import { Link, useNavigate, useParams } from 'react-router';
import type { ExplanationContent } from '../../../../shared/learning/explain/content.ts';
import { trustOf } from '../../../../shared/learning/explain/trust.ts';
import type { SongView } from '../../../api/songs/schemas.ts';
import { send, useApi } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { counted } from '../../format.ts';
import { Heard } from './heard.tsx';
import { ReliabilityPanel } from './reliability.tsx';
import { Step } from './steps.tsx';
import { Verdict } from './verdict.tsx';
import { Versions } from './versions.tsx';

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
      {/* Of another version all is another's, such as the title that is being typed. */}
      <Loaded query={song}>{(view) => <Everything key={view.id} song={view} />}</Loaded>
    </Page>
  );
}

function Everything({ song }: { song: SongView }) {
  const explanation = song.explanation as unknown as ExplanationContent | null;
  const isOld = explanation?.decision && trustOf(explanation.decision) === 'unchecked';
  return (
    <>
      {song.reason && <Notice kind="warn">Not judged: {song.reason}</Notice>}
      {!song.score && (
        <p>
          <Step {...song} />
        </p>
      )}
      {song.warnings.length > 0 && <Notice kind="warn">About this file: {song.warnings.join('; ')}</Notice>}
      {song.score && <Verdict song={song} />}
      {song.spectrogram && (
        <Panel title="What the model heard, and what its answer hangs on">
          <Heard song={song} facts={song.spectrogram} explanation={explanation} />
        </Panel>
      )}
      {explanation && <WhatItIsLike explanation={explanation} />}
      {song.score && (!explanation || isOld) && (
        <Panel title="Why">
          <p>
            {isOld
              ? 'This song was explained before all checks were there.'
              : 'This song is not explained yet.'}
          </p>
          {song.unexplained && <Notice kind="warn">When it was last tried: {song.unexplained}</Notice>}
          <Action
            label={isOld ? 'Explain it again' : 'Explain it'}
            run={() => send<{ said: string }>('POST', `/songs/${song.id}/explain`)}
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
                  <small>popularity {Math.round(popularity)} of 100</small>
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
