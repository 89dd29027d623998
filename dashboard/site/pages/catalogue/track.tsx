/** One track with everything that is known of it. */
import { Link, useParams } from 'react-router';
import type { TrackView } from '../../../api/catalogue/schemas.ts';
import { apiUrl, send, useApi, useMe } from '../../api.ts';
import { Action, useOnce } from '../../components/action.tsx';
import { Chart } from '../../components/chart.tsx';
import { Fact, Facts, Loaded, Page, Panel } from '../../components/page.tsx';
import { Spectrogram } from '../../components/spectrogram.tsx';
import { Status } from '../../components/status.tsx';
import { DataTable } from '../../components/table.tsx';
import { count, counted, day, duration, moment, percent } from '../../format.ts';

/** Of a track no news are pushed: one that is worked on is asked for so often, in milliseconds. */
const everyMs = 5_000;
/** The API tells no more readings. */
const mostReadings = 200;

export default function Track() {
  const { track: id } = useParams();
  const track = useApi<TrackView>(`/tracks/${id}`, undefined, {
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'queued' || data?.state === 'fetched' ? everyMs : false,
  });
  const operator = useMe().data?.role === 'operator';
  const [once, again] = useOnce();
  const found = track.data;
  const failed = found?.attempts.some(({ state }) => state === 'open');
  return (
    <Page
      title={found?.title || `Track ${id}`}
      lead={found?.artists.join(', ')}
      actions={
        found && (
          <>
            <Status state={found.state} />
            {operator && failed && (
              <Action
                label="Try again"
                run={() => send('POST', `/tracks/${id}/retry`, undefined, once)}
                onDone={again}
                refreshes={['/tracks', '/failures']}
              />
            )}
          </>
        )
      }
    >
      <Loaded query={track}>{(view) => <Everything track={view} />}</Loaded>
    </Page>
  );
}

function Everything({ track }: { track: TrackView }) {
  const staff = useMe().data?.role !== 'artist';
  const known = counted(track.readings.filter(({ value }) => value !== null).length, 'reading');
  const newest = track.readings.length < mostReadings ? '' : ` of the newest ${mostReadings}`;
  return (
    <>
      <Panel title="Facts">
        <Facts>
          <Fact name="Id">{track.id}</Fact>
          <Fact name="Album">{track.album ?? '–'}</Fact>
          <Fact name="Released">{track.released ? day(track.released) : '–'}</Fact>
          <Fact name="Genre">{track.genre ?? '–'}</Fact>
          <Fact name="Length">{track.durationSeconds === null ? '–' : duration(track.durationSeconds)}</Fact>
          <Fact name="Popularity, newest reading">
            {track.popularity === null ? 'none' : `${Math.round(track.popularity)} of 100`}
          </Fact>
          <Fact name="ISRC">{track.isrc ?? '–'}</Fact>
          <Fact name="Source">{track.source}</Fact>
          <Fact name="Heard by the music tagger">{track.heardByTagger ? 'yes' : 'no'}</Fact>
        </Facts>
        {track.reason && <p>Its audio failed: {track.reason}</p>}
      </Panel>
      <Panel title="Spectrogram">
        <Sound track={track} />
        {track.previewKept ? (
          // biome-ignore lint/a11y/useMediaCaption: music has no captions
          <audio controls preload="none" src={apiUrl(`/tracks/${track.id}/preview`)} />
        ) : (
          <p>
            <small>
              Its preview is let go: it is kept only until the spectrogram is made (KEEP_PREVIEWS).
            </small>
          </p>
        )}
      </Panel>
      <div className="grid">
        <Panel title={`Popularity over time (n = ${known}${newest})`}>
          <Readings track={track} />
        </Panel>
        <Panel title={staff ? 'Data sets, and what models said of it unheard' : 'Data sets'}>
          {track.dataSets.length === 0 && <p>It is in no data set.</p>}
          <ul className="plain">
            {track.dataSets.map(({ id, name, split, popular }) => (
              <li key={id}>
                <Link to={`/data-sets/${id}`}>{name}</Link>: {split}, {popular ? 'popular' : 'not popular'}
              </li>
            ))}
            {staff &&
              track.predictions.map(({ model, name, side, probability }) => (
                <li key={`${model} ${side}`}>
                  <Link to={`/models/${model}`}>
                    {model} ({name})
                  </Link>
                  : popular with a probability of {percent(probability)} <small>({side})</small>
                </li>
              ))}
          </ul>
        </Panel>
      </div>
      <Panel title="Attempts">
        {track.attempts.length === 0 ? (
          <p>Nothing has failed.</p>
        ) : (
          <DataTable
            caption="Attempts that failed"
            rows={track.attempts}
            rowId={({ failure }) => failure}
            columns={[
              { id: 'failure', header: 'Failure', cell: ({ failure }) => failure },
              { id: 'stage', header: 'Stage', cell: ({ stage }) => stage },
              { id: 'state', header: 'State', cell: ({ state }) => <Status state={state} /> },
              { id: 'reason', header: 'Reason', prose: true, cell: ({ reason }) => reason },
              { id: 'attempts', header: 'Attempts', numeric: true, cell: ({ attempts }) => count(attempts) },
              { id: 'at', header: 'When', cell: ({ at }) => moment(at) },
            ]}
          />
        )}
        {track.crawls.length > 0 && (
          <p>
            Seen by{' '}
            {track.crawls.map(({ crawl, startedAt }, index) => (
              <span key={crawl}>
                {index > 0 && ', '}
                {staff ? <Link to={`/crawls/${crawl}`}>{crawl}</Link> : crawl}{' '}
                <small>({moment(startedAt)})</small>
              </span>
            ))}
          </p>
        )}
      </Panel>
    </>
  );
}

function Sound({ track }: { track: TrackView }) {
  const { spectrogram } = track;
  if (!spectrogram) return <p>There is none yet.</p>;
  return (
    <>
      <Spectrogram
        {...spectrogram}
        src={apiUrl(`/tracks/${track.id}/spectrogram.png`)}
        of={track.title || track.id}
      />
      {spectrogram.warnings.map((warning) => (
        <small key={warning}>▲ {warning}</small>
      ))}
    </>
  );
}

function Readings({ track }: { track: TrackView }) {
  const known = track.readings.filter(({ value }) => value !== null);
  if (known.length === 0) return <p>There is no reading yet.</p>;
  return (
    <>
      {known.length > 1 && (
        <Chart
          summary={known.map(({ at, value }) => `${moment(at)}: ${Math.round(value!)}`).join('; ')}
          height={220}
          option={{
            grid: { left: 40, right: 16, top: 16, bottom: 28 },
            tooltip: { trigger: 'axis' },
            xAxis: { type: 'time' },
            yAxis: { type: 'value', min: 0, max: 100 },
            series: [{ type: 'line', name: 'popularity', data: known.map(({ at, value }) => [at, value]) }],
          }}
        />
      )}
      <ul className="plain">
        {known.slice(-5).map(({ at, value, origin }) => (
          <li key={at}>
            {Math.round(value!)} of 100, by {origin}, {moment(at)}
          </li>
        ))}
      </ul>
    </>
  );
}
