/** How far a crawl is, from its pages to its spectrograms. */
import type { Funnel, TimeLeft } from '../../../api/pipeline/schemas.ts';
import { Figure } from '../../components/page.tsx';
import { count, duration } from '../../format.ts';

interface Step {
  name: string;
  done: number;
  of: number;
  unit: string;
  note?: string | null;
}

function stepsOf({ pages, tracks }: Funnel, audio: boolean): Step[] {
  const known = pages.asked + pages.queued + pages.failed;
  const of = tracks.found;
  const search: Step[] =
    known === 0
      ? [] // a catalogue of files has no search
      : [
          {
            name: 'Search pages asked',
            done: pages.asked,
            of: known,
            unit: 'pages known',
            note: pagesNote(pages),
          },
        ];
  const found: Step = { name: 'Tracks found', done: of, of, unit: 'tracks' };
  if (!audio) return [...search, found];
  return [
    ...search,
    found,
    { name: 'Previews fetched', done: tracks.fetched, of, unit: 'tracks' },
    { name: 'Spectrograms ready', done: tracks.ready, of, unit: 'tracks' },
    {
      name: 'Failed',
      done: tracks.failed,
      of,
      unit: 'tracks',
      note: `${count(tracks.unfinished)} under way`,
    },
  ];
}

export function FunnelBars({ funnel, audio }: { funnel: Funnel; audio: boolean }) {
  return (
    <table className="funnel">
      <caption className="hidden">How far the crawl is</caption>
      <thead className="hidden">
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Done</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {stepsOf(funnel, audio).map(({ name, done, of, unit, note }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="numeric" data-step={name}>
              {count(done)}{' '}
              <small>
                of {count(of)} {unit}
              </small>
            </td>
            <td className="bar">
              <progress value={of > 0 ? done / of : 0} max={1} aria-label={`${name}: ${done} of ${of}`} />
              {note && <small> {note}</small>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function pagesNote({ skipped, failed }: Funnel['pages']): string | null {
  const parts = [skipped > 0 && `${count(skipped)} not needed`, failed > 0 && `${count(failed)} failed`];
  return parts.filter(Boolean).join(', ') || null;
}

/** An honest time left: a range, or why there is none. */
export function TimeLeftText({ left }: { left: TimeLeft }) {
  if (!left.known) return <Figure value="not known" name="time left" note={left.basis} />;
  const { fromSeconds, toSeconds, basis } = left;
  const range =
    toSeconds === null
      ? `${duration(fromSeconds)} or more`
      : `${duration(fromSeconds)} to ${duration(toSeconds)}`;
  return <Figure value={range} name="left" note={basis} />;
}
