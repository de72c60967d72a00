# SPDX-License-Identifier: BSD-2-Clause
"""Films as cameras take them, made from any film by ffmpeg, and coded by vpxenc: what a decoder meets most often."""
import typing

SEED = 1  # of the noise: the same film each time


class Camera(typing.NamedTuple):
    """A kind of film. graph: the filters that make it, from [0] to [out]."""
    what: str
    graph: str
    frames: int
    rates: tuple  # in kbit/s: a low one and a high one


def noise(strength):
    """What a camera adds to each picture."""
    return f"noise=alls={strength}:allf=t:all_seed={SEED}"


# A picture that stays, and a piece of it that walks through.
STILL = ("[0]trim=end_frame=1,scale=1280:720:flags=bicubic,loop=-1:1,split[room][copy];"
         "[copy]crop=96:160[walker];[room][walker]overlay=x='mod(5*n,W)':y=H/2," + noise(3) + "[out]")
SMALL = "[0]scale=352:288:flags=bicubic[out]"
# A pan by some pixels a frame, and hands that tremble a few times a second.
SHAKEN = ("[0]scale=2112:1188:flags=bicubic,crop=1920:1080:x='96+60*sin(n/9)+14*sin(1.7*n)+3*sin(2.9*n)'"
          ":y='54+30*sin(n/13)+12*sin(1.3*n)+3*cos(2.3*n)'," + noise(2) + "[out]")

CAMERAS = {
    "still-720": Camera("a still 720p camera", STILL, 96, (500, 3000)),
    "small-288": Camera("a film of 352x288", SMALL, 384, (300, 1000)),
    "shaken-1080": Camera("a hand-held 1080p camera", SHAKEN, 48, (2500, 6000)),
}


def coded(camera, rate, directory):
    """Where the stream of a camera goes, coded at a rate."""
    return directory / f"{camera}-{rate}.ivf"


def make(run, film, directory):
    """Makes the streams of all cameras from a film, unless they are there. run: runs a command that must succeed."""
    for name, camera in CAMERAS.items():
        missing = [rate for rate in camera.rates if not coded(name, rate, directory).exists()]
        raw = directory / f"{name}.y4m"
        if missing:
            print(f"making {raw.name}", flush=True)
            run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-stream_loop", "-1", "-i", film,
                 "-filter_complex", camera.graph, "-map", "[out]", "-frames:v", camera.frames,
                 "-pix_fmt", "yuv420p", raw])
        for rate in missing:
            partial = directory / "partial.ivf"
            run(["vpxenc", "--codec=vp8", "--ivf", "--good", "--cpu-used=2", "--passes=2", "--quiet",
                 f"--target-bitrate={rate}", "-o", partial, raw])
            partial.rename(coded(name, rate, directory))
        raw.unlink(missing_ok=True)
