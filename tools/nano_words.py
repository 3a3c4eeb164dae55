"""The words that SVD-Nano's text tower learns: camera moves in English and Chinese, among words of other things.

Makes endless pairs of a sentence and the moves that it names. The phrases in HELD_OUT are for measuring only.
"""

import random


def _list(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.replace("\n", ",").split(",") if word.strip())


GO = (*_list("pan, move, go, slide, drift, shift, sweep, look, track, truck, travel, it goes"), "")
ROLL = _list("turn, rotate, roll, twist, tilt sideways, whirl")
WAYS = {
    "pan left": (GO, _list("left, to the left, leftwards, leftward, towards the left")),
    "pan right": (GO, _list("right, to the right, rightwards, rightward, towards the right")),
    "pan up": (GO, _list("up, upwards, upward, to the top")),
    "pan down": (GO, _list("down, downwards, downward, to the bottom")),
    "turn right": (ROLL, _list("right, to the right, rightwards, clockwise")),
    "turn left": (ROLL, _list("left, to the left, leftwards, counterclockwise, anticlockwise")),
}
TOWARDS, GLIDE = _list("向, 往, 朝"), _list("移, 移动, 平移, 摇, 走, 滑动, 边移, 边走, 推移")
SPIN = _list("转, 旋转, 转动, 转圈, 滚转")
WAYS_ZH = {
    "pan left": (TOWARDS, ("左",), GLIDE),
    "pan right": (TOWARDS, ("右",), GLIDE),
    "pan up": (TOWARDS, ("上",), GLIDE),
    "pan down": (TOWARDS, ("下",), GLIDE),
    "zoom in": (("",), ("",), _list("拉近, 推近, 推进, 靠近, 放大, 向前, 前移, 往前推")),
    "zoom out": (("",), ("",), _list("拉远, 后退, 远离, 缩小, 退后, 向后, 后移, 往后拉")),
    "turn right": (("", "往", "朝"), _list("顺时针, 顺时针方向, 右"), SPIN),
    "turn left": (("", "往", "朝"), _list("逆时针, 逆时针方向, 左"), SPIN),
}
WHO_ZH = _list("镜头, 画面, 相机, 视角")
ADVERBS_ZH = _list("缓慢, 慢慢, 平稳, 快速, 轻轻, 缓缓地, 稍稍")
PHRASES = {
    "pan left": _list("左移, 左摇"),
    "pan right": _list("右移, 右摇"),
    "pan up": _list("tilt up, rise, crane up, raise the camera, 上移, 上摇, 升起"),
    "pan down": _list("tilt down, sink, crane down, lower the camera, 下移, 下摇, 下降"),
    "zoom in": _list("""zoom in, push in, move in, move closer, come closer, closer, dolly in, go forward, zooming in
        approach, move forward, close in, forwards"""),
    "zoom out": _list("""zoom out, pull out, pull back, move back, move away, dolly out, go back, zooming out
        back away, step back, wider, backwards"""),
    "turn right": _list("clockwise, 顺时针, 右转"),
    "turn left": _list("anticlockwise, counterclockwise, counter-clockwise, 逆时针, 左转"),
    "clouds right": _list("""clouds drift, drifting clouds, the clouds move, clouds drift to the right
        clouds move right, the sky moves, moving clouds, 云在飘, 飘动的云, 云飘动, 云向右飘, 白云飘过"""),
    "clouds left": _list("""clouds drift left, clouds drift to the left, clouds move left, the clouds go left, 云向左飘
        云往左飘, 白云向左移动"""),
    "ripples": _list("""ripples, water ripples, the water ripples, rippling water, gentle waves, waves move, waves roll
        the water moves, flowing water, 涟漪, 水波, 波光粼粼, 水面泛起涟漪, 水面波动, 波浪起伏"""),
}
CAMERA = tuple(move for move in PHRASES if move.startswith(("pan", "zoom", "turn")))
SCENE = tuple(move for move in PHRASES if move not in CAMERA)
DRIFT = ["pan right", "zoom in"]
DRIFTING = _list("""drift, gentle drift, slow drift, floating camera, let the camera drift
    the camera floats, 漂移, 缓缓漂移, 镜头漂移, 镜头漂浮""")
HELD_OUT = {
    "pan left": _list("glide left, the view slides to the left, ease leftwards, 镜头逐渐往左平移, 徐徐向左移"),
    "pan right": _list("glide right, the view slides to the right, ease rightwards, 镜头逐渐往右平移, 徐徐向右移"),
    "pan up": _list("glide upwards, the view drifts up, 镜头徐徐上移"),
    "pan down": _list("glide downwards, the view drifts down, 镜头徐徐下移"),
    "zoom in": _list("slowly push closer, the camera comes closer, zoom in gently, 镜头徐徐推近, 画面逐渐拉近"),
    "zoom out": _list("slowly pull away, the camera moves back, zoom out gently, 镜头徐徐拉远, 画面逐渐后退"),
    "turn right": _list("spin clockwise, slowly rotate to the right, 画面顺时针徐徐转"),
    "turn left": _list("spin counterclockwise, slowly rotate to the left, 画面逆时针徐徐转"),
    "clouds right": _list("the clouds are drifting, soft clouds drift by, 天上的云在飘"),
    "clouds left": _list("the clouds drift leftwards, 云朵向左飘"),
    "ripples": _list("ripples on the lake, the lake ripples, 湖面泛起水波"),
}
STILL = _list("still, static, do not move, hold still, fixed camera, no movement, 静止, 不动, 固定镜头")
OTHERS = _list("""a mountain lake at dawn, a cup of coffee on a table, portrait of a woman, an old cat
    golden light, cinematic, highly detailed, soft colours, shaking, flicker, blurry, dark, night, people walk by
    a rocket on its pad, a street in the rain, flowers, film grain, a temple by a lake, smoke
    fire, snow falls, a red car, trees in the wind, sunset, beautiful, 清晨的山间湖泊, 桌上的咖啡, 人像, 老猫
    金色阳光, 电影感, 细节丰富, 柔和的色彩, 抖动, 闪烁, 模糊, 夜晚, 雨中的街道, 花朵, 行人, 湖边的寺庙, 烟雾, 下雪
    风中的树, 日落, 美丽的风景""")
ADVERBS = _list("slowly, gently, smoothly, quickly, a little, steadily")
OPPOSITES = {"left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in"}


def sentence(draw: random.Random) -> tuple[str, list[str]]:
    """One sentence, and the moves that it names: mostly one, sometimes two or none."""
    kind = draw.random()
    moves = [] if kind < 0.3 else draw.sample(list(PHRASES), 1) if kind < 0.85 else draw.sample(CAMERA, 2)
    if len(moves) == 2 and opposite(moves[0]) == moves[1]:
        moves.pop()
    parts = [_phrase(draw, move) for move in moves]
    if 0.25 < kind < 0.3:
        moves, parts = list(DRIFT), [draw.choice(DRIFTING)]
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
    if move in SCENE:
        return draw.choice(PHRASES[move])
    if draw.random() < 0.4:
        return _phrase_zh(draw, move)
    if move in WAYS and draw.random() < 0.7:
        said = " ".join(draw.choice(words) for words in WAYS[move]).strip()
    else:
        said = draw.choice(PHRASES[move])
    if said.isascii() and draw.random() < 0.3:
        verb, _, rest = said.partition(" ")
        adverb = draw.choice(ADVERBS)
        said = draw.choice((f"{adverb} {said}", f"{said} {adverb}", f"{verb} {adverb} {rest}".strip()))
    if said.isascii() and draw.random() < 0.15:
        said = f"the camera {said}"
    return draw.choice((said, said, said.capitalize(), said.upper()))


def _phrase_zh(draw: random.Random, move: str) -> str:
    """Who, how, towards where and what, the first two left out at will; how may also stand before the verb."""
    towards, way, verb = (draw.choice(words) for words in WAYS_ZH[move])
    who = draw.choice(WHO_ZH) if draw.random() < 0.4 else ""
    how = draw.choice(ADVERBS_ZH) if draw.random() < 0.4 else ""
    return f"{who}{how}{towards}{way}{verb}" if draw.random() < 0.6 else f"{who}{towards}{way}{how}{verb}"
