/** A mel spectrogram as the server draws it, with axes of time and frequency. */
import type { ReactNode } from 'react';
import { clock, frequency } from '../format.ts';

interface Props {
  src: string;
  /** What it is a picture of. */
  of: string;
  bands: number;
  frames: number;
  /** Length, and where it begins in the recording. */
  seconds: number;
  startSeconds: number;
  /** Frequencies that are named, and how high they stand, 0 to 1. */
  ticks: readonly { hz: number; place: number }[];
  /** Laid over the picture. */
  overlay?: ReactNode;
  caption?: ReactNode;
}

/** Times are named so many seconds apart. */
const step = 5;

export function Spectrogram(props: Props) {
  const { src, of, bands, frames, seconds, startSeconds, ticks, overlay, caption } = props;
  const first = Math.ceil(startSeconds / step) * step;
  const marks = Math.max(0, Math.floor((startSeconds + seconds - first) / step) + 1);
  const times = Array.from({ length: marks }, (_, index) => first + step * index);
  return (
    <figure className="spectrogram">
      <div className="frequencies" aria-hidden="true">
        {ticks.map(({ hz, place }) => (
          <span key={hz} style={{ bottom: `${100 * place}%` }}>
            {frequency(hz)}
          </span>
        ))}
      </div>
      <div className="layers">
        <img
          {...{ src }}
          alt={`Mel spectrogram of ${of}: ${bands} bands by ${frames} frames, ${seconds.toFixed(0)} seconds from ${clock(startSeconds)}`}
        />
        {overlay}
      </div>
      <div className="times" aria-hidden="true">
        {times.map((at) => (
          <span key={at} style={{ left: `${(100 * (at - startSeconds)) / seconds}%` }}>
            {clock(at)}
          </span>
        ))}
      </div>
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  );
}
