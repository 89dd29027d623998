"""Peer of bench/training: builds the network that a line of standard input (JSON) describes, and answers each
further line with the processor and wall time that Keras takes per sample to train or predict, in milliseconds."""

import json
import os
import resource
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy
import tensorflow
from keras import layers



def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


POOLS = [(2, 2), (4, 2), (4, 2), (4, 2)]


def network(bands, frames, filters):
    model = keras.Sequential([layers.Input((bands, frames, 1))])
    height = bands
    for layer, count in enumerate([filters, 2 * filters, 2 * filters, 2 * filters]):
        pool = (min(POOLS[layer][0], height), POOLS[layer][1])
        height //= pool[0]
        model.add(layers.Conv2D(count, 3, padding="same", activation="elu"))
        model.add(layers.MaxPooling2D(pool))
        model.add(layers.Dropout(0.1))
    model.add(layers.Permute((2, 1, 3)))
    model.add(layers.Reshape((-1, height * 2 * filters)))
    model.add(layers.GRU(32, dropout=0.3, return_sequences=True))
    model.add(layers.GRU(32, dropout=0.3))
    model.add(layers.Dense(1))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(global_clipnorm=1.0), loss)
    return model


print(json.dumps({"ready": f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}"}), flush=True)
model = x = y = batch = None
for line in sys.stdin:
    asked = json.loads(line)
    if asked["what"] == "build":
        batch = asked["batch"]
        keras.utils.set_random_seed(1)
        keras.backend.clear_session()
        shape = (asked["samples"], asked["bands"], asked["frames"], 1)
        x = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
        y = numpy.arange(asked["samples"], dtype=numpy.float32) % 2
        model = network(asked["bands"], asked["frames"], asked["filters"])
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
        model.predict(x, batch_size=batch, verbose=0)
        print(json.dumps({"parameters": model.count_params()}), flush=True)
        continue
    processor, wall = processor_seconds(), time.perf_counter()
    if asked["what"] == "train":
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    else:
        model.predict(x, batch_size=batch, verbose=0)
    answer = {
        "processorMs": 1000 * (processor_seconds() - processor) / len(x),
        "wallMs": 1000 * (time.perf_counter() - wall) / len(x),
    }
    print(json.dumps(answer), flush=True)
