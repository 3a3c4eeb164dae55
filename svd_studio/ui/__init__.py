"""The page. Gradio is imported here and nowhere else; ui.texts has every face's words."""
