/** Uncertainty that can be counted: twenty dots, each an equally likely value. */
import { percent } from '../../format.ts';

const width = 200;
const height = 40;
const radius = 3.6;
const bins = 25;

/**
 * A quantile dot plot (Fernandes et al., CHI 2018): shares of popular songs from none to all, left to right.
 * @param dots ascending, 0 to 1
 * @param baseRate the usual share, as a line
 */
export function Dots({ dots, baseRate }: { dots: readonly number[]; baseRate: number }) {
  const stacked = new Map<number, number>();
  const above = dots.filter((dot) => dot > baseRate).length;
  const text = `Of 20 equally likely shares of popular songs ${above} lie above the usual ${percent(baseRate)}: from ${percent(dots[0]!)} to ${percent(dots.at(-1)!)}`;
  return (
    <svg className="dots" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={text}>
      <title>{text}</title>
      <line className="axis" x1={0} x2={width} y1={height - 1} y2={height - 1} />
      <line className="usual" x1={baseRate * width} x2={baseRate * width} y1={0} y2={height} />
      {dots.map((dot, index) => {
        const bin = Math.min(bins - 1, Math.floor(dot * bins));
        const level = stacked.get(bin) ?? 0;
        stacked.set(bin, level + 1);
        return (
          <circle
            // biome-ignore lint/suspicious/noArrayIndexKey: dots have a place and nothing else
            key={index}
            className={dot > baseRate ? 'above' : 'below'}
            cx={((bin + 0.5) * width) / bins}
            cy={height - 2 - radius - level * 2 * radius * 0.82}
            r={radius}
          />
        );
      })}
    </svg>
  );
}
