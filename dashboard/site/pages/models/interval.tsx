/** A figure with its interval, between chance and perfect. */
const width = 120;
const from = 0.3;

export function Interval({
  value,
  interval,
}: {
  value: number | null;
  interval: readonly [number, number] | null;
}) {
  if (value === null) return null;
  const place = (figure: number) => ((Math.max(from, figure) - from) / (1 - from)) * width;
  return (
    <svg className="interval" viewBox={`0 0 ${width} 12`} aria-hidden="true">
      <line className="chance" x1={place(0.5)} x2={place(0.5)} y1={0} y2={12} />
      {interval && <line className="range" x1={place(interval[0])} x2={place(interval[1])} y1={6} y2={6} />}
      <circle cx={place(value)} cy={6} r={3.5} />
    </svg>
  );
}
