"""The words that SVD-Nano's text tower learns: camera moves in English and Chinese, among words of other things.

Makes endless pairs of a sentence and the moves that it names. The phrases in HELD_OUT are for measuring only.
"""

import random
from collections.abc import Sequence


def _list(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.replace("\n", ",").split(",") if word.strip())


GO = (*_list("pan, move, go, slide, drift, shift, sweep, look, track, truck, travel, it goes"), "")
WAYS = {
    "pan left": _list("left, to the left, leftwards, leftward, towards the left"),
    "pan right": _list("right, to the right, rightwards, rightward, towards the right"),
    "pan up": _list("up, upwards, upward, to the top"),
    "pan down": _list("down, downwards, downward, to the bottom"),
}
PHRASES = {
    "pan left": _list("向左平移, 镜头向左, 镜头左移, 左移, 向左移动, 往左移, 向左摇, 画面往左边走, 左摇"),
    "pan right": _list("向右平移, 镜头向右, 镜头右移, 右移, 向右移动, 往右移, 向右摇, 画面往右边走, 右摇"),
    "pan up": _list("""tilt up, rise, crane up, raise the camera
        向上平移, 镜头向上, 上移, 向上移动, 上摇, 升起"""),
    "pan down": _list("""tilt down, sink, crane down, lower the camera
        向下平移, 镜头向下, 下移, 向下移动, 下摇, 下降"""),
    "zoom in": _list("""zoom in, push in, move in, move closer, come closer, closer, dolly in, go forward, zooming in
        approach, move forward, close in, 拉近, 推近, 镜头推进, 推进, 靠近, 放大, 前进"""),
    "zoom out": _list("""zoom out, pull out, pull back, move back, move away, dolly out, go back, zooming out
        back away, step back, wider, 拉远, 镜头拉远, 后退, 远离, 缩小, 退后"""),
    "turn right": _list("""turn right, rotate right, rotate clockwise, roll right, turn clockwise, roll clockwise
        clockwise, 顺时针旋转, 向右旋转, 右转, 顺时针, 顺时针转动, 顺时针转, 往顺时针方向转"""),
    "turn left": _list("""turn left, rotate left, rotate counterclockwise, roll left, turn counterclockwise
        anticlockwise, counterclockwise, 逆时针旋转, 向左旋转, 左转, 逆时针, 逆时针转动, 逆时针转, 往逆时针方向转"""),
}
HELD_OUT = {
    "pan left": _list("glide left, the view slides to the left, ease leftwards, 镜头往左平移, 慢慢向左移"),
    "pan right": _list("glide right, the view slides to the right, ease rightwards, 镜头往右平移, 慢慢向右移"),
    "pan up": _list("glide upwards, the view drifts up, 镜头慢慢上移"),
    "pan down": _list("glide downwards, the view drifts down, 镜头慢慢下移"),
    "zoom in": _list("slowly push closer, the camera comes closer, zoom in gently, 镜头慢慢推近, 慢慢拉近"),
    "zoom out": _list("slowly pull away, the camera moves back, zoom out gently, 镜头慢慢拉远, 慢慢后退"),
    "turn right": _list("spin clockwise, slowly rotate to the right, 画面顺时针慢慢转"),
    "turn left": _list("spin counterclockwise, slowly rotate to the left, 画面逆时针慢慢转"),
}
STILL = _list("still, static, do not move, hold still, fixed camera, no movement, 静止, 不动, 固定镜头")
OTHERS = _list("""a mountain lake at dawn, waves on the sea, a cup of coffee on a table, portrait of a woman, an old cat
    golden light, cinematic, highly detailed, soft colours, shaking, flicker, blurry, dark, night, people walk by
    a rocket on its pad, clouds over the hills, a street in the rain, flowers, film grain, a temple by a lake, smoke
    fire, snow falls, a red car, trees in the wind, sunset, beautiful, 清晨的山间湖泊, 海浪, 桌上的咖啡, 人像, 老猫
    金色阳光, 电影感, 细节丰富, 柔和的色彩, 抖动, 闪烁, 模糊, 夜晚, 雨中的街道, 花朵, 行人, 湖边的寺庙, 烟雾, 下雪
    风中的树, 日落, 美丽的风景""")
ADVERBS = _list("slowly, gently, smoothly, quickly, a little, steadily, 缓慢, 慢慢, 平稳, 快速, 轻轻")
OPPOSITES = {"left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in"}


def sentence(draw: random.Random) -> tuple[str, list[str]]:
    """One sentence, and the moves that it names: mostly one, sometimes two or none."""
    kind = draw.random()
    moves = [] if kind < 0.3 else draw.sample(list(PHRASES), 1 if kind < 0.85 else 2)
    if len(moves) == 2 and opposite(moves[0]) == moves[1]:
        moves.pop()
    parts = [_phrase(draw, move) for move in moves]
    if not moves and draw.random() < 0.3:
        moves, parts = ["still"], [draw.choice(STILL)]
    parts += draw.sample(OTHERS, draw.choice((0, 0, 1, 1, 2, 3)) if moves else draw.choice((0, 1, 2, 3)))
    draw.shuffle(parts)
    return draw.choice((", ", ". ", " and ", "，", " ")).join(parts), moves


def opposite(move: str) -> str:
    """The move that takes a move back."""
    verb, way = move.split()
    return f"{verb} {OPPOSITES[way]}"


def _phrase(draw: random.Random, move: str) -> str:
    ways: Sequence[str] = WAYS.get(move, ())
    if ways and draw.random() < 0.6:
        said = f"{draw.choice(GO)} {draw.choice(ways)}".strip()
    else:
        said = draw.choice(PHRASES[move])
    if draw.random() < 0.3:
        adverb = draw.choice(ADVERBS)
        said = adverb + said if not adverb.isascii() else draw.choice((f"{adverb} {said}", f"{said} {adverb}"))
    if said.isascii() and draw.random() < 0.15:
        said = f"the camera {said}"
    return draw.choice((said, said, said.capitalize(), said.upper()))
