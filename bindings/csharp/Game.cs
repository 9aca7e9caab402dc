// A game of three characters in a console, at 60 frames a second: what is typed is said to all of
// them, and each answers in a mood of its own.
//
//   mcs Game.cs Llamood.cs && mono Game.exe model.gguf model.evs/ [FOLDER]
//
// /save and /load keep the three in FOLDER, /quit leaves. The stage steps in a thread of its own; a
// frame only asks what was said since, which never waits for the model.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using Llamood;

internal sealed class Character
{
    public readonly string Name;
    public int Voice;
    private readonly Stage stage;
    private readonly Mood[] moods; // one for each answer, the last for all that follow
    private readonly StringBuilder line = new StringBuilder();

    public bool IsSpeaking { get; private set; }

    public Character(string name, Stage stage, Sampling sampling, params string[] moods)
    {
        Name = name;
        this.stage = stage;
        this.moods = Array.ConvertAll(moods, Mood.Parse);
        Voice = stage.Join("", null, sampling);
    }

    public void Hear(string text, int round)
    {
        stage.Feel(Voice, moods[Math.Min(round, moods.Length - 1)]);
        stage.Say(Voice, text);
        IsSpeaking = true;
    }

    /// <summary>A word of the line that is being said; prints the line where it ends.</summary>
    public void Show(VoiceEvent said, IReadOnlyList<string> emotions)
    {
        line.Append(said.Text);
        if (said.Notice != null) Console.WriteLine("      ({0}: {1})", Name, said.Notice);
        if (said.End == End.None) return;
        string face = said.Face == null ? "" : " looks " + said.Face + ",";
        Console.WriteLine("{0,-5}{1} in {2}: {3}", Name, face, Described(said.Mood, emotions), line);
        line.Clear();
        IsSpeaking = false;
    }

    private static string Described(float[] mood, IReadOnlyList<string> emotions)
    {
        var parts = new List<string>();
        for (int i = 0; i < mood.Length; ++i)
        {
            if (mood[i] == 0) continue;
            parts.Add(emotions[i] + " " + mood[i].ToString("0.00", CultureInfo.InvariantCulture));
        }
        return parts.Count == 0 ? "no mood" : string.Join(", ", parts);
    }
}

internal sealed class Game : IDisposable
{
    private const double FrameSeconds = 1.0 / 60;

    private readonly ConcurrentQueue<string> typed = new ConcurrentQueue<string>();
    private readonly string folder;
    private readonly Model model;
    private readonly Stage stage;
    private readonly Character[] characters;
    private int round; // how often somebody spoke to them
    private bool isOver;

    private Game(string path, string vectors, string folder)
    {
        this.folder = folder;
        // Faces need what reads emotions; not every folder of vectors has it.
        bool isRead = File.Exists(Path.Combine(vectors, "reading.baseline"));
        model = new Model(path, vectors, new ModelSettings { Readings = isRead });
        // Six, as those of a game that is loaded are there before the others leave.
        stage = new Stage(model, new StageSettings { Voices = 6, Context = 512, Batch = 64, Threads = 1 });
        characters = new[]
        {
            new Character("Ada", stage, Drawn(1), "{}",
                          "{\"joy\": {\"ramp\": [0, 1], \"over\": 12}}", "{\"joy\": 1}"),
            new Character("Ben", stage, Drawn(2), "{}",
                          "{\"anger\": 0.7}", "{\"anger\": 1, \"$inertia\": 6}"),
            new Character("Cleo", stage, Drawn(3), "{\"joy\": 0.6}",
                          "{\"fear\": {\"on\": \"museum\", \"decay\": 1, \"half_life\": 12}}"),
        };
        stage.Start();
    }

    private static Sampling Drawn(uint seed)
    {
        return new Sampling { Temperature = 0.7f, MaxTokens = 40, Seed = seed };
    }

    private void Run()
    {
        new Thread(Listen) { IsBackground = true }.Start();
        var clock = Stopwatch.StartNew();
        double latest = 0;
        int frame = 0;
        for (; !isOver; ++frame)
        {
            double late = clock.Elapsed.TotalSeconds - frame * FrameSeconds;
            latest = Math.Max(latest, late);
            if (late < 0) Thread.Sleep(TimeSpan.FromSeconds(-late));
            PlayFrame();
        }
        Console.WriteLine("({0} frames; the latest began {1:0} ms after its time)", frame, latest * 1000);
    }

    // The console is waited for in a thread of its own; null ends it.
    private void Listen()
    {
        string text;
        do typed.Enqueue(text = Console.ReadLine());
        while (text != null);
    }

    private void PlayFrame()
    {
        VoiceEvent said;
        while (stage.Poll(out said))
            Array.Find(characters, each => each.Voice == said.Voice).Show(said, model.Emotions);
        string text;
        if (Array.Exists(characters, each => each.IsSpeaking) || !typed.TryDequeue(out text)) return;
        if (text == null || text == "/quit") isOver = true;
        else Do(text);
    }

    // What fails changes nothing, and the game goes on.
    private void Do(string text)
    {
        try
        {
            if (text == "/save") Save();
            else if (text == "/load") Load();
            else Say(text);
        }
        catch (Exception failure) when (failure is LlamoodException || failure is IOException)
        {
            Console.WriteLine("      ({0})", failure.Message);
        }
    }

    private void Say(string text)
    {
        Console.WriteLine("      > {0}", text);
        // While nothing steps, so that all begin in the same batch, and say the same in every run.
        stage.Stop();
        foreach (var each in characters) each.Hear(text, round);
        stage.Start();
        ++round;
    }

    private string PathOf(string name) { return Path.Combine(folder, name); }

    private void Save()
    {
        Directory.CreateDirectory(folder);
        foreach (var each in characters) stage.Save(each.Voice, PathOf(each.Name + ".voice"));
        File.WriteAllText(PathOf("round"), round.ToString(CultureInfo.InvariantCulture));
        Console.WriteLine("      (saved)");
    }

    private void Load()
    {
        int saved = int.Parse(File.ReadAllText(PathOf("round")), CultureInfo.InvariantCulture);
        var voices = new List<int>();
        try
        {
            foreach (var each in characters) voices.Add(stage.Load(PathOf(each.Name + ".voice")));
        }
        catch
        {
            voices.ForEach(stage.Leave);
            throw;
        }
        for (int i = 0; i < characters.Length; ++i)
        {
            stage.Leave(characters[i].Voice);
            characters[i].Voice = voices[i];
        }
        round = saved;
        Console.WriteLine("      (loaded)");
    }

    public void Dispose()
    {
        stage.Dispose();
        model.Dispose();
    }

    private static int Main(string[] arguments)
    {
        if (arguments.Length < 2 || arguments.Length > 3)
        {
            Console.Error.WriteLine("usage: Game.exe MODEL.gguf VECTORS/ [FOLDER]");
            return 2;
        }
        try
        {
            Library.SilenceLog();
            string folder = arguments.Length == 3 ? arguments[2] : "saved";
            using (var game = new Game(arguments[0], arguments[1], folder)) game.Run();
            return 0;
        }
        catch (LlamoodException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
    }
}
