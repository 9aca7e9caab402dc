// Prints how C# lays out the structures of llamood.h, and the values of its enums.
using System;
using System.Reflection;
using System.Runtime.InteropServices;

internal static class Layouts
{
    private static void Main()
    {
        foreach (var type in Assembly.GetExecutingAssembly().GetTypes())
        {
            if (type.IsEnum)
            {
                foreach (var value in Enum.GetValues(type))
                    Console.WriteLine("{0}.{1} {2}", type.Name, value, (int)value);
            }
            else if (type.IsValueType && type.Name.StartsWith("llamood_"))
            {
                Console.WriteLine("{0} {1}", type.Name, Marshal.SizeOf(type));
                foreach (var field in type.GetFields())
                    Console.WriteLine("{0}.{1} {2} {3}", type.Name, field.Name,
                                      Marshal.OffsetOf(type, field.Name), Marshal.SizeOf(field.FieldType));
            }
        }
    }
}
