/** The spectrogram that was judged, what of it speaks for or against the song, and how that sounds. */
import { useEffect, useRef, useState } from 'react';
import type { ExplanationContent } from '../../../../shared/learning/explain/content.ts';
import { trustOf } from '../../../../shared/learning/explain/trust.ts';
import type { SongView } from '../../../api/songs/schemas.ts';
import { apiUrl } from '../../api.ts';
import { Notice } from '../../components/page.tsx';
import { Spectrogram } from '../../components/spectrogram.tsx';
import { clock, counted, frequency } from '../../format.ts';
import { play, stopPlaying } from './player.ts';

type Facts = NonNullable<SongView['spectrogram']>;

interface Part {
  fromSeconds: number;
  toSeconds: number;
  fromHz: number;
  toHz: number;
  effect: number;
  name: string;
}

export function Heard(props: { song: SongView; facts: Facts; explanation: ExplanationContent | null }) {
  const { song, facts, explanation } = props;
  const decision = explanation?.decision ?? null;
  const trusted = decision !== null && trustOf(decision) === 'trusted';
  const [overlay, setOverlay] = useState(true);
  const parts: Part[] = (decision?.segments ?? [])
    .filter(({ named }) => named)
    .sort((a, b) => a.fromSeconds - b.fromSeconds || a.fromHz - b.fromHz);
  return (
    <>
      {explanation?.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {decision && !trusted && (
        <Notice kind="warn">
          This explanation did not pass its checks, so no part of the song is outlined or named.
        </Notice>
      )}
      {trusted && (
        <label>
          <input type="checkbox" checked={overlay} onChange={({ target }) => setOverlay(target.checked)} />{' '}
          outline what the answer hangs on
        </label>
      )}
      <Picture song={song} facts={facts} parts={trusted && overlay ? parts : []} />
      <Listen song={song} facts={facts} parts={trusted ? parts : []} />
    </>
  );
}

function Picture({ song, facts, parts }: { song: SongView; facts: Facts; parts: readonly Part[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    const context = element.getContext('2d')!;
    const { width, height } = element;
    context.clearRect(0, 0, width, height);
    for (const part of parts) {
      const left = ((part.fromSeconds - facts.startSeconds) / facts.seconds) * width;
      const right = ((part.toSeconds - facts.startSeconds) / facts.seconds) * width;
      const top = height * (1 - placeOf(part.toHz, facts));
      const bottom = height * (1 - placeOf(part.fromHz, facts));
      const colour = part.effect > 0 ? '255, 157, 40' : '90, 170, 255';
      context.fillStyle = `rgba(${colour}, 0.28)`;
      context.strokeStyle = `rgb(${colour})`;
      context.lineWidth = 3;
      // Against is dashed: not by colour alone.
      context.setLineDash(part.effect > 0 ? [] : [8, 5]);
      context.fillRect(left, top, right - left, bottom - top);
      context.strokeRect(left, top, right - left, bottom - top);
    }
  }, [parts, facts]);
  return (
    <Spectrogram
      {...facts}
      src={apiUrl(`/songs/${song.id}/spectrogram.png`)}
      of={song.file}
      overlay={
        <canvas
          ref={canvas}
          width={1200}
          height={384}
          {...(parts.length > 0
            ? { role: 'img', 'aria-label': `${counted(parts.length, 'part')} outlined; each is listed below` }
            : { 'aria-hidden': true })}
        />
      }
      caption={
        parts.length > 0 && (
          <small>Orange, solid: speaks for the song. Blue, dashed: speaks against it.</small>
        )
      }
    />
  );
}

/** Between the ticks of the axis the mel scale is near enough to a straight line. */
function placeOf(hz: number, { ticks, topHz }: Facts): number {
  const known = [{ hz: 0, place: 0 }, ...ticks];
  const above = known.findIndex((tick) => tick.hz >= hz);
  if (above === 0) return 0;
  const [low, high] =
    above < 0 ? [known.at(-1)!, { hz: topHz, place: 1 }] : [known[above - 1]!, known[above]!];
  if (high.hz <= low.hz) return low.place;
  return Math.min(1, low.place + ((hz - low.hz) / (high.hz - low.hz)) * (high.place - low.place));
}

function Listen({ song, facts, parts }: { song: SongView; facts: Facts; parts: readonly Part[] }) {
  const [playing, setPlaying] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => stopPlaying, []);
  if (!song.uploaded) return <p>Its audio is not kept here, so it cannot be listened to.</p>;
  const start = async (key: string, part: Part | null) => {
    setError(null);
    setPlaying(key);
    try {
      const ended = await play(apiUrl(`/songs/${song.id}/excerpt.wav`), {
        from: part ? part.fromSeconds - facts.startSeconds : 0,
        to: part ? part.toSeconds - facts.startSeconds : facts.seconds,
        band: part && { fromHz: part.fromHz, toHz: part.toHz },
      });
      if (ended) setPlaying(null);
    } catch (trouble) {
      setError(trouble instanceof Error ? trouble.message : String(trouble));
      setPlaying(null);
    }
  };
  return (
    <div className="listen">
      <button type="button" onClick={() => void start('all', null)}>
        <span aria-hidden="true">▶</span> Play what the model heard
      </button>
      {playing && (
        <button
          type="button"
          onClick={() => {
            stopPlaying();
            setPlaying(null);
          }}
        >
          <span aria-hidden="true">■</span> Stop
        </button>
      )}
      {error && <span role="alert">{error}</span>}
      {parts.length > 0 && (
        <ul className="plain">
          {parts.map((part) => {
            const key = `${part.fromSeconds} ${part.fromHz}`;
            const words = `${clock(part.fromSeconds)} to ${clock(part.toSeconds)}, ${frequency(part.fromHz)} to ${frequency(part.toHz)} (${part.name})`;
            return (
              <li key={key}>
                <button type="button" aria-label={`Play ${words}`} onClick={() => void start(key, part)}>
                  <span aria-hidden="true">▶</span>
                </button>{' '}
                {words}: speaks {part.effect > 0 ? 'for' : 'against'} the song
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
