import { test } from 'vitest';
import { createWorld } from '/work/main/simulator/world/world.ts';
import { Driver } from '/work/main/tests/unit/sources/spotify-driver.ts';
test('x', () => {
  for (const tracks of [3000, 8000, 23100]) for (const seed of [1,2,3]) {
    const years: [number, number] = tracks > 20000 ? [2019, 2021] : [2020, 2021];
    const world = createWorld({ tracks, seed, years });
    const all = world.search(`genre:hip-hop year:${years.join('-')}`, { market: 'US', operators: 'honoured' }).total;
    for (const honoursNot of [true, false]) for (const pageSize of [50, 10]) {
      const t = performance.now();
      const d = new Driver(world, { years, honoursNot, pageSize }).run();
      console.log(tracks, seed, honoursNot, pageSize, 'all', all, 'got', d.tracks.size, 'req', d.requestsOverLeast.toFixed(3), 'new', d.newShare.toFixed(3), 'queries', d.queries.length, Math.round(performance.now() - t), 'ms', Math.max(...d.queries.map(q=>q.length)));
    }
  }
}, 600000);
