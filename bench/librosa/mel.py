"""Peer of bench/mel.ts: reads rounds of file paths from standard input (one JSON array a line), and
answers each with the processor and wall time that librosa takes for them, in milliseconds."""

import json
import resource
import sys
import time

import librosa
import numpy


def spectrogram(path):
    samples, rate = librosa.load(path, duration=30)
    mel = librosa.feature.melspectrogram(y=samples, sr=rate)
    return librosa.power_to_db(mel, ref=numpy.max)


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


print(json.dumps({"ready": librosa.__version__}), flush=True)
for line in sys.stdin:
    processor, wall = processor_seconds(), time.perf_counter()
    for path in json.loads(line):
        spectrogram(path)
    answer = {
        "processorMs": 1000 * (processor_seconds() - processor),
        "wallMs": 1000 * (time.perf_counter() - wall),
    }
    print(json.dumps(answer), flush=True)
