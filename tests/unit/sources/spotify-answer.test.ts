import { describe, expect, test } from 'vitest';
import { readSearchAnswer } from '../../../shared/sources/spotify/answer.ts';

const artist = { id: 'a1', name: 'An Artist', type: 'artist', uri: 'spotify:artist:a1' };
const album = {
  ...{ id: 'b1', name: 'An Album', album_type: 'album', artists: [artist], images: [], total_tracks: 12 },
  ...{ release_date: '2020-05-17', release_date_precision: 'day' },
};
/** A track of the extended quota mode, shortened. */
const track = {
  ...{ id: 't1', name: 'A Title', artists: [artist], album, duration_ms: 181_000, explicit: true },
  ...{ external_ids: { isrc: 'USABC2000001' }, popularity: 42, is_local: false, is_playable: true },
  preview_url: 'https://p.scdn.co/mp3-preview/0?cid=1',
};
const { popularity: _popularity, preview_url: _preview, ...development } = track;

const answerOf = (items: unknown, total: unknown = 1) => ({ tracks: { items, total, limit: 50, offset: 0 } });
const read = (change: object) => readSearchAnswer(answerOf([{ ...track, ...change }])).tracks[0]!;

describe('what a search answers', () => {
  test('is reduced to what is kept', () => {
    expect(readSearchAnswer(answerOf([track], 777))).toEqual({
      total: 777,
      showsPopularity: true,
      tracks: [
        {
          ...{ id: 't1', title: 'A Title', artists: [{ id: 'a1', name: 'An Artist' }], isrc: 'USABC2000001' },
          album: {
            ...{ id: 'b1', title: 'An Album', type: 'album', releaseDate: '2020-05-17' },
            artists: [{ id: 'a1', name: 'An Artist' }],
          },
          ...{ durationMs: 181_000, explicit: true, popularity: 42 },
          previewUrl: 'https://p.scdn.co/mp3-preview/0?cid=1',
        },
      ],
    });
  });

  test('in development mode has neither popularity nor previews', () => {
    const rows = readSearchAnswer(answerOf([development, development]));
    expect(rows.showsPopularity).toBe(false);
    expect(rows.tracks[0]).toMatchObject({ popularity: null, previewUrl: null, isrc: 'USABC2000001' });
    // A mode that shows it may not know it of all; one of nothing says nothing.
    expect(readSearchAnswer(answerOf([development, track])).showsPopularity).toBe(true);
    expect(readSearchAnswer(answerOf([{ ...track, popularity: null }])).showsPopularity).toBe(true);
    expect(readSearchAnswer(answerOf([])).showsPopularity).toBe(false);
  });

  test('may lack much', () => {
    const bare = {
      ...{ id: 't1', name: '', artists: [] },
      album: { id: 'b1', name: '' },
    };
    expect(readSearchAnswer(answerOf([bare])).tracks).toEqual([
      {
        ...{ id: 't1', title: '', artists: [], isrc: null, durationMs: null, explicit: null },
        ...{ popularity: null, previewUrl: null },
        album: { id: 'b1', title: '', type: null, releaseDate: null, artists: [] },
      },
    ]);
    expect(read({ external_ids: {} }).isrc).toBeNull();
    expect(read({ external_ids: null, preview_url: null, explicit: null })).toMatchObject({
      ...{ isrc: null, previewUrl: null, explicit: null },
    });
  });

  test('may have gaps, which are left out', () => {
    const rows = readSearchAnswer(answerOf([null, track, null], 3));
    expect(rows.tracks.map(({ id }) => id)).toEqual(['t1']);
    expect(rows.total).toBe(3);
    expect(readSearchAnswer(answerOf([null], 0))).toEqual({ total: 0, tracks: [], showsPopularity: false });
  });

  test.each([1.5, -1, 3e9, 'long'])('a duration of %s is none', (duration_ms) => {
    expect(read({ duration_ms })).toMatchObject({ id: 't1', durationMs: null });
  });

  test('has codes in one spelling', () => {
    expect(read({ external_ids: { isrc: 'usabc2000001' } }).isrc).toBe('USABC2000001');
  });

  test.each([
    ['2020-05-17', '2020-05-17'],
    ['2020-05', '2020-05-01'],
    ['2020', '2020-01-01'],
    ['1900', '1900-01-01'],
    ['0000', null],
    ['0000-00-00', null],
    ['2020-00', null],
    ['2020-13-01', null],
    ['2020-02-30', null],
    ['2021-02-29', null],
    ['2020-02-29', '2020-02-29'],
    ['2020-05-17T00:00:00Z', null],
    ['17.5.2020', null],
    ['20', null],
    ['', null],
    [null, null],
    [undefined, null],
  ])('a release on %s is kept as %s', (release_date, kept) => {
    expect(read({ album: { ...album, release_date } }).album.releaseDate).toBe(kept);
  });

  test('has no NUL, which PostgreSQL does not keep', () => {
    const nul = '\0';
    const {
      title,
      artists,
      album: found,
    } = read({
      name: `A${nul}B`,
      artists: [{ ...artist, name: `${nul}C` }],
      album: { ...album, name: nul, artists: [{ ...artist, name: `D${nul}` }] },
    });
    expect([title, artists[0]!.name, found.title, found.artists[0]!.name]).toEqual(['AB', 'C', '', 'D']);
    expect(JSON.stringify(read({ preview_url: `https://p.scdn.co/${nul}` }))).not.toContain('\\u0000');
    expect(JSON.stringify(read({ external_ids: { isrc: `US${nul}` } }))).not.toContain('\\u0000');
    expect(JSON.stringify(read({ album: { ...album, album_type: nul } }))).not.toContain('\\u0000');
    expect(JSON.stringify(read({ id: `t${nul}` }))).not.toContain('\\u0000');
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'its beginning'],
    ['null', null, 'its beginning'],
    ['a text', '<html>', 'its beginning'],
    ['another object', { albums: {} }, 'tracks'],
    ['tracks that are none', { tracks: null }, 'tracks'],
    ['no list', answerOf({}), 'tracks.items'],
    ['no total', { tracks: { items: [] } }, 'tracks.total'],
    ['a total that is none', answerOf([], '17'), 'tracks.total'],
    ['a broken total', answerOf([], 1.5), 'tracks.total'],
    ['more than can be kept', answerOf([], 3e9), 'tracks.total'],
    ['less than nothing', answerOf([], -1), 'tracks.total'],
    ['a track without id', answerOf([{ ...track, id: undefined }]), 'tracks.items.0.id'],
    ['an empty id', answerOf([track, { ...track, id: '' }]), 'tracks.items.1.id'],
    ['an id of nothing', answerOf([{ ...track, id: '\0' }]), 'tracks.items.0.id'],
    ['no artists', answerOf([{ ...track, artists: undefined }]), 'tracks.items.0.artists'],
    [
      'an artist without name',
      answerOf([{ ...track, artists: [{ id: 'a' }] }]),
      'tracks.items.0.artists.0.name',
    ],
    ['no album', answerOf([{ ...track, album: null }]), 'tracks.items.0.album'],
    ['an impossible popularity', answerOf([{ ...track, popularity: 101 }]), 'tracks.items.0.popularity'],
    ['a list in a list', answerOf([[track]]), 'tracks.items.0'],
  ])('%s is malformed, and it is said where', (_what, body, where) => {
    const act = () => readSearchAnswer(body);
    expect(act).toThrow(`Spotify's answer is malformed at ${where}`);
    // Worth another try: neither a permanent error nor a person's.
    expect(act).toThrow(expect.objectContaining({ name: 'Error' }));
  });
});
