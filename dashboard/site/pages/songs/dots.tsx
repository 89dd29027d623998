/** Uncertainty that can be counted: twenty dots, each an equally likely value. */
import { counted, percent } from '../../format.ts';
import { layOutDots } from './dots-layout.ts';

const width = 200;
/** Room for dots, and for the words of the scale below them. */
const height = 56;
const scaleHeight = 14;
/** A dot leaves a gap to its neighbours. */
const drawnShare = 0.88;

/**
 * A quantile dot plot (Fernandes et al., CHI 2018): shares of popular songs from none to all, left to right.
 * @param dots ascending, 0 to 1
 * @param baseRate the usual share, as a line
 */
export function Dots({ dots, baseRate }: { dots: readonly number[]; baseRate: number }) {
  const above = dots.filter((dot) => dot > baseRate).length;
  const text = `Of ${dots.length} equally likely shares of popular songs ${counted(above, 'lies', 'lie')} above the usual ${percent(baseRate)}: from ${percent(dots[0]!)} to ${percent(dots.at(-1)!)}`;
  const { radius, places } = layOutDots(dots, width, height - 2);
  return (
    <svg className="dots" viewBox={`0 0 ${width} ${height + scaleHeight}`} role="img" aria-label={text}>
      <title>{text}</title>
      <line className="axis" x1={0} x2={width} y1={height} y2={height} />
      <line className="usual" x1={baseRate * width} x2={baseRate * width} y1={0} y2={height} />
      {places.map(({ x, y }, index) => (
        <circle
          // biome-ignore lint/suspicious/noArrayIndexKey: dots have a place and nothing else
          key={index}
          className={dots[index]! > baseRate ? 'above' : 'below'}
          cx={x}
          cy={height - 1 - y}
          r={drawnShare * radius}
        />
      ))}
      <text x={0} y={height + scaleHeight - 2}>
        none
      </text>
      <text x={width} y={height + scaleHeight - 2} textAnchor="end">
        all
      </text>
    </svg>
  );
}

/** What the dots say, for where they first stand. */
export function DotsExplained({ baseRate, groups }: { baseRate: number; groups: number }) {
  return (
    <p>
      <small>
        Each dot is one of 20 equally likely answers to: of songs scored like this one, what share became
        popular, each artist counting once? From none at the left to all at the right. Count the dots right of
        the line, which is the usual share: {percent(baseRate)} of held-out songs, n ={' '}
        {counted(groups, 'artist')}.
      </small>
    </p>
  );
}
