import { networkFamily } from './family.ts';
import { cnn1Presets, cnn2Presets, crnnPresets, mlpPresets } from './presets.ts';

/*
 * The networks of the project's forerunner: N. Indorf, "Using Deep Learning to Predict Hip-Hop Popularity on
 * Spotify" (2021), github.com/NicholasIndorf/HipHopPopularity. Scores are its own, on its holdout of 1,615
 * songs, of which its dummy got .507 of accuracy and .500 of ROC-AUC; its split left the same recording on
 * both sides.
 */

export const mlp = networkFamily(
  'mlp',
  'Multilayer perceptron on all cells of the spectrogram (Indorf 2021), as the original had it; there it learned nothing: .507 accuracy and .500 ROC-AUC, the same as the dummy.',
  mlpPresets,
  {
    small: 'two layers of 32 and 16 units on cells averaged 4 x 16, for a CPU',
    original: 'the original, 21,176,577 parameters at 128 bands x 1,292 frames',
  },
);

export const cnn1 = networkFamily(
  'cnn1',
  'Convolutional network with two dense layers (Indorf 2021), as the original had it; there it learned nothing: .507 accuracy and .500 ROC-AUC, the same as the dummy.',
  cnn1Presets,
  {
    small: 'a quarter to a half of the filters on averaged cells, for a CPU and hundreds of tracks',
    original: 'the original, 2,727,041 parameters at 128 bands x 1,292 frames',
  },
);

export const cnn2 = networkFamily(
  'cnn2',
  'Convolutional network with one dense layer and no dropout (Indorf 2021), as the original had it; there it scored .552 accuracy and .574 ROC-AUC.',
  cnn2Presets,
  {
    small: 'a quarter of the filters on averaged cells, for a CPU and hundreds of tracks',
    original: 'the original, 2,831,137 parameters at 128 bands x 1,292 frames',
  },
);

export const crnn = networkFamily(
  'crnn',
  'Convolutional recurrent network (Choi et al. 2017, arXiv:1609.04243; Nasrullah and Zhao 2019, arXiv:1901.04555), as the original had it; there it scored .598 accuracy and .646 ROC-AUC.',
  crnnPresets,
  {
    small: 'a quarter of the filters on averaged cells, for a CPU and hundreds of tracks',
    original: 'the original, 391,585 parameters at 128 bands',
  },
);
