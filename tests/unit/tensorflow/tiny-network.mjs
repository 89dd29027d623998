// Plain JavaScript, so that a child process can run it beside dist/ on any version of Node.

export const TINY = { height: 16, width: 20, filters: 4, units: 5, batch: 6 };

/** Numbers in [-1, 1) that are the same on every machine: a linear congruential generator. */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function filled(tf, next, shape, scale) {
  const length = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length }, () => next() * scale),
    shape,
  );
}

const BLOCKS = 3;

function createWeights(tf, size) {
  const next = numbers(1);
  const variable = (shape, scale) => tf.tidy(() => tf.variable(filled(tf, next, shape, scale)));
  const constant = (shape, value) => tf.tidy(() => tf.variable(tf.fill(shape, value)));
  const blocks = Array.from({ length: BLOCKS }, (_, index) => {
    const channels = index === 0 ? 1 : size.filters;
    return {
      kernel: variable([3, 3, channels, size.filters], 1 / Math.sqrt(4 * channels)),
      bias: variable([size.filters], 0.1),
      gamma: constant([size.filters], 1),
      beta: constant([size.filters], 0),
    };
  });
  const features = size.filters * Math.floor(size.height / 2 ** BLOCKS);
  return {
    blocks,
    gates: variable([features + size.units, 2 * size.units], 0.3),
    gateBias: constant([2 * size.units], 1),
    candidate: variable([features + size.units, size.units], 0.3),
    candidateBias: constant([size.units], 0),
    dense: variable([size.units, 1], 0.5),
    denseBias: constant([1], 0),
  };
}

function convolutionBlock(tf, x, { kernel, bias, gamma, beta }, seed) {
  const convolved = tf.add(tf.conv2d(x, kernel, 1, 'same'), bias);
  const { mean, variance } = tf.moments(convolved, [0, 1, 2]);
  const normal = tf.batchNorm(convolved, mean, variance, beta, gamma, 1e-3);
  return tf.dropout(tf.maxPool(tf.elu(normal), 2, 2, 'valid'), 0.1, undefined, seed);
}

function recurrentLayer(tf, steps, weights, units) {
  let state = tf.zeros([steps[0].shape[0], units]);
  for (const x of steps) {
    const joined = tf.matMul(tf.concat([x, state], 1), weights.gates);
    const [reset, update] = tf.split(tf.sigmoid(tf.add(joined, weights.gateBias)), 2, 1);
    const proposed = tf.matMul(tf.concat([x, tf.mul(reset, state)], 1), weights.candidate);
    const candidate = tf.tanh(tf.add(proposed, weights.candidateBias));
    state = tf.add(tf.mul(update, state), tf.mul(tf.sub(1, update), candidate));
  }
  return state;
}

function forward(tf, x, weights, size) {
  let y = x;
  for (const [index, block] of weights.blocks.entries()) y = convolutionBlock(tf, y, block, index + 1);
  const [batch, height, width, channels] = y.shape;
  const sequence = tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [batch, width, height * channels]);
  const state = recurrentLayer(tf, tf.unstack(sequence, 1), weights, size.units);
  return tf.add(tf.matMul(state, weights.dense), weights.denseBias);
}

export function trainTinyNetwork(tf, steps, size = TINY) {
  const weights = createWeights(tf, size);
  const next = numbers(2);
  const x = filled(tf, next, [size.batch, size.height, size.width, 1], 1);
  const labels = tf.tensor2d(
    Array.from({ length: size.batch }, (_, index) => index % 2),
    [size.batch, 1],
  );
  const optimizer = tf.train.adam(0.01);
  const losses = [];
  const stepMs = [];
  for (let step = 0; step < steps; step += 1) {
    const begun = performance.now();
    const { value, grads } = tf.variableGrads(() =>
      tf.losses.sigmoidCrossEntropy(labels, forward(tf, x, weights, size)),
    );
    optimizer.applyGradients(grads);
    losses.push(value.dataSync()[0]);
    tf.dispose([value, grads]);
    stepMs.push(performance.now() - begun);
  }
  const { blocks, ...rest } = weights;
  const all = [...blocks.flatMap((block) => Object.values(block)), ...Object.values(rest)];
  const result = { losses, stepMs, weights: all.flatMap((weight) => Array.from(weight.dataSync())) };
  tf.dispose([x, labels, ...all]);
  optimizer.dispose();
  return result;
}
