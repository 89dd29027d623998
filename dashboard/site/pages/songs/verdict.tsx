/** What may be said of one song, and the counts behind it. */
import { aboutIn } from '../../../../shared/scoring/calibrated.ts';
import type { SongView } from '../../../api/songs/schemas.ts';
import { Fact, Facts, Panel } from '../../components/page.tsx';
import { count, counted, percent, percentileText } from '../../format.ts';
import { Dots, DotsExplained } from './dots.tsx';

export function Verdict({ song }: { song: SongView }) {
  const { score, reliability } = song;
  const { rank, percentile, share, dots, alike, verdict, unfamiliarity, comparedBy, beyond } = score!;
  return (
    <Panel title="In words">
      <p className="verdict">{verdict.sentence}</p>
      <Facts>
        <Fact name="Rank in its batch">
          {rank.from === rank.to ? rank.from : `${rank.from}–${rank.to}`}{' '}
          <small>of {counted(rank.of, 'song')}</small>
        </Fact>
        <Fact name="Percentile">
          {percentileText(percentile)} <small>n = {counted(reliability.holdoutN, 'holdout song')}</small>
        </Fact>
        <Fact name="Songs scored like it">
          {alike ? (
            <>
              {aboutIn(alike.popular, alike.groups)} became popular{' '}
              <small>
                n = {counted(alike.songs, 'held-out song')} by {counted(alike.groups, 'artist')}, each counts
                once; usual: {percent(reliability.baseRate)}
              </small>
            </>
          ) : beyond ? (
            `none: it scored ${beyond === 'above' ? 'higher' : 'lower'} than all of them`
          ) : (
            'too few to say'
          )}
        </Fact>
        <Fact name="The model's own estimate">
          {share
            ? `that of songs that sound like it ${share.words} became popular`
            : 'it is not calibrated enough to say'}{' '}
          <small>from the sound alone, not counted among songs: another estimate than the dots</small>
        </Fact>
        <Fact name="How usual it is">
          {unfamiliarity === null
            ? 'not known'
            : `${Math.round(100 - unfamiliarity)} % of the data set's ${count(reliability.tracks)} tracks are farther from anything else in it than this song is${comparedBy ? ` (by ${comparedBy})` : ''}`}
        </Fact>
      </Facts>
      {dots && (
        <>
          <Dots dots={dots} baseRate={reliability.baseRate} />
          <DotsExplained {...reliability} />
        </>
      )}
      <p>
        <small>{reliability.compared}</small>
      </p>
    </Panel>
  );
}
