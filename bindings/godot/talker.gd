# A character that speaks: add this script to a Node, and the model and its vectors beside the game.
extends Node

var stage := LlamoodStage.new()
var ada := -1
var line := ""

func _ready() -> void:
	# What is no resource of Godot's lies beside the program, and beside the project while you edit.
	var folder := ProjectSettings.globalize_path("res://")
	if not OS.has_feature("editor"):
		folder = OS.get_executable_path().get_base_dir()
	var model := folder.path_join("model.gguf")
	if not stage.open(model, folder.path_join("model.evs"), 1, 2048, -1, true):
		return
	ada = stage.join("You are Ada, who keeps an inn.", JSON.stringify({"joy": 0.6}), 1, 80)
	stage.start()
	stage.say(ada, "Who are you?")

func _process(_delta: float) -> void:
	while ada >= 0:
		var event := stage.poll()
		if event.is_empty():
			return
		line += event["text"]
		if event["end"] != "":
			print("Ada (", event["face"], "): ", line)
			line = ""
