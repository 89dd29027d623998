import { parametersHash, spectrogramParameters } from '../shared/audio/parameters.ts';
import type { Session } from './session.ts';

/** Record the spectrogram parameters that the settings ask for; returns the hash that names them. */
export async function currentParameters({ config, database }: Session): Promise<string> {
  const parameters = spectrogramParameters({ seconds: config.audio.seconds, excerpt: config.audio.excerpt });
  const hash = parametersHash(parameters);
  await database.prisma.spectrogramParameters.createMany({
    data: [{ hash, parameters: { ...parameters } }],
    skipDuplicates: true,
  });
  return hash;
}
