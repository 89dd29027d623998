/** How far a model may be trusted, in its own words. */
import { Link } from 'react-router';
import type { Reliability } from '../../../api/songs/schemas.ts';
import { Panel } from '../../components/page.tsx';
import { counted, moment } from '../../format.ts';

export function ReliabilityPanel({ reliability }: { reliability: Reliability }) {
  const { model, name, dataSet, dataSetId, trainedAt, codeVersion, pairs, words, basis, n, groups } =
    reliability;
  return (
    <Panel title="How far to trust this">
      {words.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p>
        <small>
          Judge: <Link to={`/models/${model}`}>{`${model} (${name})`}</Link>, learned from{' '}
          <Link to={`/data-sets/${dataSetId}`}>{dataSet}</Link>
          {trainedAt && `, trained ${moment(trainedAt)}`}
          {codeVersion && `, version ${codeVersion}`}. Measured by {basis}. How sure an order is, is counted
          in {counted(pairs, 'pair')} of these {counted(n, 'song')} by {counted(groups, 'artist')}. Scores are
          private: you and operators see them.
        </small>
      </p>
    </Panel>
  );
}
