"""A Gradio app as most are written: the attacks of test_guard.py must find it open, or they prove nothing."""

import sys

import gradio as gr


def make(picture: str, words: str) -> str:
    with open(picture, "rb") as file:
        return f"{len(file.read())} bytes of {picture}: {words}"


def keep(event: gr.EventData) -> str:
    return str(event._data["name"])


with gr.Blocks() as page:
    picture = gr.Image(type="filepath")
    words = gr.Textbox()
    said = gr.Textbox()
    gr.Button("Make").click(make, [picture, words], said, api_name="make")
    kept = gr.File()
    gr.Button("Keep").click(keep, None, kept, api_name="keep")

if __name__ == "__main__":
    page.launch(server_port=int(sys.argv[1]), quiet=True, allowed_paths=["/"])
